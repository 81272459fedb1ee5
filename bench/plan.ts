/** @file The plan past one machine, computed from the results: what each part does per process, and what a thousand times the load takes. */

import { median } from './harness.ts'
import { type Result, shown } from './result.ts'

/** The load of the freshness bench, events per second. */
const LOAD = 5_000
const FACTOR = 1_000

/** One part of the system, measured in one process. */
interface Part {
  readonly name: string
  readonly unit: string
  /** What one process does per second. */
  readonly rate: number
  /** What a thousand times the load asks per second. */
  readonly needed: number
  readonly source: string
}

/** The table and what it says, of the parts that were measured; undefined until the whole path was. */
export function planOf(results: readonly Result[]): string | undefined {
  const parts = partsOf(results)
  if (parts === undefined) return undefined
  const rows = parts.map(({ name, unit, rate, needed, source }) => {
    const processes = Math.ceil(needed / rate)
    const one = `${shown(rate)} ${unit}`
    return `| ${name} | ${one} | ${shown(needed)} ${unit} | ${processes.toLocaleString('en-US')} | [${source}](#${source}) |`
  })
  const first = [...parts].sort((a, b) => b.needed / b.rate - a.needed / a.rate)[0]
  return [
    `${FACTOR.toLocaleString('en-US')} times ${LOAD.toLocaleString('en-US')} events/s, with the simulated app's mix of events:`,
    '',
    '| part | one process | needed | processes | measured by |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    `It breaks first at the ${first?.name ?? 'trainer'}: ${Math.ceil((first?.needed ?? 0) / (first?.rate ?? 1)).toLocaleString('en-US')} times what one process does.`,
  ].join('\n')
}

function partsOf(results: readonly Result[]): Part[] | undefined {
  const named = (name: string): Result | undefined => results.find((one) => one.name === name)
  const whole = named('whole-path')
  const steps = whole?.figures[0]?.against
  const samples = Number(whole?.facts.samples)
  const records = Number(whole?.facts.records)
  if (whole === undefined || steps === undefined) return undefined
  const events = LOAD * FACTOR
  const perSecond = (events * samples) / records
  const rateOf = (result: Result): number => median(result.figures[0]?.rounds ?? [])
  const joiners = [
    ['joiners, through Kafka', 'join'],
    ['joiners, without a broker beside them', 'join-log'],
  ] as const
  return [
    ...joiners.flatMap(([name, source]) => {
      const result = named(source)
      if (result === undefined) return []
      return [{ name, unit: 'events/s', rate: rateOf(result), needed: events, source }]
    }),
    {
      name: 'trainer, steps alone',
      unit: 'samples/s',
      rate: median(steps.rounds),
      needed: perSecond,
      source: 'whole-path',
    },
    {
      name: 'trainer, whole path',
      unit: 'samples/s',
      rate: rateOf(whole),
      needed: perSecond,
      source: 'whole-path',
    },
  ]
}

/** @file Are changes of taste noticed, how soon, and what do learning rates that decay, start again or forget make of them? */

import type { WorldOptions } from '../../src/world/world-options.ts'
import type { Experiment, Row } from './experiment.ts'
import {
  between,
  excessLoss,
  judgedOf,
  learnWorld,
  type Sections,
  type WorldRun,
  worldJob,
  worldLog,
} from './world-run.ts'

const HOUR = 3_600_000
const KINDS = ['none', 'abrupt', 'gradual', 'recurring'] as const
/** Slow event time: tastes have hours to change. */
const PER_SECOND = 5

const DECAY = 'decay_steps: 50, floor: 0.1'
export const RATES: readonly { readonly name: string; readonly sections: Sections }[] = [
  { name: 'as set', sections: {} },
  { name: 'decay', sections: { train: trainWith(`schedule: { ${DECAY} }`) } },
  {
    name: 'decay, reset on drift',
    sections: { train: trainWith(`schedule: { ${DECAY}, reset_on_drift: true }`) },
  },
  {
    name: 'accumulators forget',
    sections: { train: trainWith('clip_norm: 10', ', half_life_steps: 2000') },
  },
]

function trainWith(setting: string, ofRows = ''): string {
  const rows = `{ kind: adagrad, learning_rate: 0.05, initial_accumulator: 0.0001${ofRows} }`
  return `
  ${setting}
  dense: { learning_rate: 0.002 }
  sparse: ${rows}
  wide: ${rows}`
}

export const drift: Experiment = {
  name: 'drift',
  question: 'Are changes of taste noticed, how soon, and what do they cost?',
  columns: [
    { name: 'change of taste' },
    { name: 'learning rates' },
    { name: 'alarms of losses before it' },
    { name: 'first alarm of a loss, minutes after it', digits: 1 },
    { name: 'log loss above the best, half an hour before', digits: 4 },
    { name: 'half an hour after', digits: 4 },
    { name: 'last half hour', digits: 4 },
  ],
  run: async ({ engine, impressions }) => {
    const hours = impressions / PER_SECOND / 3600
    const rows: Row[] = []
    for (const kind of KINDS) {
      const change = { kind, at_hours: hours / 2, over_hours: hours / 6 }
      const world = { impressions, impressions_per_second: PER_SECOND, change, drift_hours: 0 }
      const { log, options } = await worldLog(worldJob(), world)
      for (const { name, sections } of RATES) {
        const run = await learnWorld({ job: worldJob(sections), log, options, engine })
        rows.push({ 'change of taste': kind, 'learning rates': name, ...figuresOf(run, options) })
      }
    }
    return rows
  },
}

export function figuresOf(run: WorldRun, options: WorldOptions): Row {
  const click = judgedOf(run, 'click')
  const changed = options.start_ms + options.change.at_hours * HOUR
  const end = click.times.reduce((latest, time) => Math.max(latest, time), 0)
  const losses = run.alarms.filter(({ signal }) => signal === 'loss')
  const first = options.change.kind === 'none' ? undefined : losses.find(({ at }) => at >= changed)
  const loss = (from: number): number =>
    excessLoss(between(click, (time) => time >= from && time < from + HOUR / 2))
  return {
    'alarms of losses before it': losses.filter(({ at }) => at < changed).length,
    'first alarm of a loss, minutes after it':
      first === undefined ? undefined : (first.at - changed) / 60_000,
    'log loss above the best, half an hour before': loss(changed - HOUR / 2),
    'half an hour after': loss(changed),
    'last half hour': loss(end - HOUR / 2),
  }
}

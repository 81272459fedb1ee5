/**
 * @file The figures of a run over time, in bounded memory, for the page: three spans, each with its own step. The page asks for
 * one of them after a reload; nothing of it is part of the learner's state.
 */

import { MillraceError } from '../errors.ts'

/** The figures of one moment by series name; a figure without a value is left out. */
export type HistoryPoint = Readonly<Record<string, number>>

/** One span as columns; `null` where a series has no value. */
export interface HistorySpan {
  /** Wall clock, Unix ms, ascending. */
  readonly times: readonly number[]
  readonly series: Readonly<Record<string, readonly (number | null)[]>>
}

/** How long a span reaches back, and one point per how many ms. */
export interface SpanOptions {
  readonly name: string
  readonly everyMs: number
  readonly points: number
}

/** Ten minutes by the second, two hours by ten seconds, a day by two minutes. */
export const SPANS: readonly SpanOptions[] = [
  { name: '10m', everyMs: 1_000, points: 600 },
  { name: '2h', everyMs: 10_000, points: 720 },
  { name: '24h', everyMs: 120_000, points: 720 },
]

/** Series beyond this are left out: names come from tasks and experts, of which a job could have any number. */
const MAX_SERIES = 300

/** Numbers on the page need no more than this. */
const DIGITS = 5

interface Tier {
  readonly options: SpanOptions
  readonly points: { readonly at: number; readonly values: HistoryPoint }[]
  /** Sums and counts of the step that is not over yet. */
  readonly sums: Map<string, { sum: number; count: number }>
  step: number | undefined
}

/** Mutable; `record` about once a second, `span` when somebody looks. */
export class History {
  readonly #tiers: readonly Tier[]

  constructor(spans: readonly SpanOptions[] = SPANS) {
    this.#tiers = spans.map((options) => ({
      options,
      points: [],
      sums: new Map(),
      step: undefined,
    }))
  }

  /** Takes in the figures of one moment, wall clock `at` in Unix ms; a clock that went back is taken as standing still. */
  record(at: number, values: HistoryPoint): void {
    for (const tier of this.#tiers) {
      const step = Math.max(Math.floor(at / tier.options.everyMs), tier.step ?? 0)
      if (tier.step !== undefined && step > tier.step) closeStep(tier)
      tier.step = step
      for (const [name, value] of Object.entries(values)) addTo(tier, name, value)
    }
  }

  /** The names of the spans, shortest first. */
  get spans(): readonly string[] {
    return this.#tiers.map(({ options }) => options.name)
  }

  /** The columns of one span; USAGE for a name that is none. Steps that are over, and the one under way. */
  span(name: string): HistorySpan {
    const tier = this.#tiers.find(({ options }) => options.name === name)
    if (tier === undefined) {
      throw new MillraceError('USAGE', `no history span ${name}`, {
        remedy: `ask for one of ${this.spans.join(', ')}`,
      })
    }
    const points = [...tier.points, ...openPoint(tier)]
    const names = new Set(points.flatMap(({ values }) => Object.keys(values)))
    return {
      times: points.map(({ at }) => at),
      series: Object.fromEntries(
        [...names].map((series) => [series, points.map(({ values }) => values[series] ?? null)]),
      ),
    }
  }

  /** Everything, to be kept over a restart of the process. */
  save(): object {
    return { spans: this.#tiers.map(({ options, points }) => ({ name: options.name, points })) }
  }

  /** What `save` gave, before anything else is recorded; what does not have its form is left out. */
  load(saved: unknown): void {
    for (const tier of this.#tiers) {
      tier.points.push(...savedPoints(saved, tier.options))
      const last = tier.points.at(-1)
      if (last !== undefined) tier.step = Math.floor(last.at / tier.options.everyMs) + 1
    }
  }
}

function addTo(tier: Tier, name: string, value: number): void {
  if (!Number.isFinite(value)) return
  const open = tier.sums.get(name)
  if (open !== undefined) {
    open.sum += value
    open.count += 1
  } else if (tier.sums.size < MAX_SERIES) {
    tier.sums.set(name, { sum: value, count: 1 })
  }
}

function closeStep(tier: Tier): void {
  tier.points.push(...openPoint(tier))
  tier.sums.clear()
  while (tier.points.length > tier.options.points) tier.points.shift()
}

/** The step under way as a point: the mean of each series. */
function openPoint({ options, sums, step }: Tier): Tier['points'] {
  if (step === undefined || sums.size === 0) return []
  const values = Object.fromEntries(
    Array.from(sums, ([name, { sum, count }]) => [name, Number((sum / count).toPrecision(DIGITS))]),
  )
  return [{ at: step * options.everyMs, values }]
}

function savedPoints(saved: unknown, { name, points }: SpanOptions): Tier['points'] {
  const { spans } = (saved ?? {}) as { spans?: unknown }
  if (!Array.isArray(spans)) return []
  const span = spans.find((one: { name?: unknown }) => one?.name === name) as
    | { points?: unknown }
    | undefined
  if (!Array.isArray(span?.points)) return []
  return span.points.filter(isPoint).slice(-points)
}

function isPoint(value: unknown): value is Tier['points'][number] {
  const { at, values } = (value ?? {}) as { at?: unknown; values?: unknown }
  if (typeof at !== 'number' || typeof values !== 'object' || values === null) return false
  return Object.values(values).every((one) => typeof one === 'number')
}

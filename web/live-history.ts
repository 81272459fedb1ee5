/** @file The span that the charts show: fetched from the learner, so that it survives a reload, and carried on by what arrives. */

import type { HistorySpan } from '../src/observe/history.ts'
import { historyPoint } from '../src/observe/history-point.ts'
import type { Status } from '../src/observe/status.ts'

/** The spans of `src/observe/history.ts` in words, and how long until one is fetched again, ms. */
export const SPANS = [
  { name: '10m', words: '10 minutes', refetchMs: 60_000 },
  { name: '2h', words: '2 hours', refetchMs: 10_000 },
  { name: '24h', words: '24 hours', refetchMs: 60_000 },
] as const

export type SpanName = (typeof SPANS)[number]['name']

/** Longer silence than this many usual steps is a gap in the line. */
const GAP_STEPS = 8
const SHORTEST_MS = 600_000

/** Mutable. */
export class LiveHistory {
  #name: SpanName = '10m'
  #span: HistorySpan = { times: [], series: {} }
  #fetchedAt = Number.NEGATIVE_INFINITY

  get name(): SpanName {
    return this.#name
  }

  /** Shows another span from now on. */
  async choose(name: SpanName): Promise<void> {
    this.#name = name
    await this.fetch()
  }

  /** Gets the span from the learner. */
  async fetch(): Promise<void> {
    const name = this.#name
    this.#fetchedAt = performance.now()
    const response = await fetch(`/history/${name}`, { cache: 'no-store' })
    if (!response.ok || name !== this.#name) return
    this.#span = withGaps((await response.json()) as HistorySpan)
  }

  /** Carries the shortest span on; the longer ones are fetched again now and then. */
  async take(status: Status): Promise<void> {
    const { refetchMs } = SPANS.find(({ name }) => name === this.#name) ?? SPANS[0]
    if (performance.now() - this.#fetchedAt > refetchMs) await this.fetch()
    else if (this.#name === '10m') this.#append(status)
  }

  get span(): HistorySpan {
    return this.#span
  }

  /** First known value of each series whose name starts with `prefix`, by the rest of its name. */
  firsts(prefix: string): Readonly<Record<string, number>> {
    const found: Record<string, number> = {}
    for (const [name, values] of Object.entries(this.#span.series)) {
      const first = values.find((value) => value !== null)
      if (name.startsWith(prefix) && typeof first === 'number') {
        found[name.slice(prefix.length)] = first
      }
    }
    return found
  }

  #append(status: Status): void {
    const { times, series } = this.#span
    if (status.at <= (times.at(-1) ?? 0)) return
    const point = historyPoint(status)
    const from = times.findIndex((time) => time > status.at - SHORTEST_MS)
    const kept = from === -1 ? [] : times.slice(from)
    const names = new Set([...Object.keys(series), ...Object.keys(point)])
    const column = (name: string): (number | null)[] => {
      const before = series[name]?.slice(times.length - kept.length) ?? kept.map(() => null)
      return [...before, point[name] ?? null]
    }
    this.#span = {
      times: [...kept, status.at],
      series: Object.fromEntries([...names].map((name) => [name, column(name)])),
    }
  }
}

/** A row without values where the learner was away, so that lines stop there. */
function withGaps({ times, series }: HistorySpan): HistorySpan {
  const steps = times.slice(1).map((time, i) => time - (times[i] ?? time))
  const usual = [...steps].sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0
  const gaps = steps.flatMap((step, i) => (step > GAP_STEPS * usual ? [i + 1] : []))
  const insert = <Value>(values: readonly Value[], between: (index: number) => Value): Value[] =>
    values.flatMap((value, i) => (gaps.includes(i) ? [between(i), value] : [value]))
  return {
    times: insert(times, (i) => (times[i - 1] ?? 0) + usual),
    series: Object.fromEntries(
      Object.entries(series).map(([name, values]) => [name, insert(values, () => null)]),
    ),
  }
}

/** @file The guard against slowing down: results beside `bench/baseline.json`. Ratios are compared, as they hold on any machine. */

import type { KeptFigure, Result } from './result.ts'
import { shown } from './result.ts'

/** What a figure was when the baseline was taken. */
export interface BaselineFigure {
  readonly reached: number
  readonly better: 'higher' | 'lower'
}

/** Bench -> label of a figure -> what it was. */
export type Baseline = Readonly<Record<string, Readonly<Record<string, BaselineFigure>>>>

/** A figure beside its baseline. `change`: 0.9 means a tenth worse, whichever way is good. */
export interface Comparison {
  readonly bench: string
  readonly label: string
  readonly before: number
  readonly now: number
  readonly change: number
  readonly fell: boolean
}

/** A ratio may fall by this share before it is flagged. */
export const TOLERANCE = 0.15

/** The baseline that these results make: their ratios. Values in seconds or bytes belong to one machine and stay out. */
export function baselineOf(results: readonly Result[]): Baseline {
  const benches = results.map(({ name, figures }) => {
    const ratios = figures
      .filter(isRatio)
      .map(({ label, reached, better }) => [label, { reached, better }])
    return [name, Object.fromEntries(ratios)] as const
  })
  return Object.fromEntries(benches.filter(([, figures]) => Object.keys(figures).length > 0))
}

/** Every ratio that both have. */
export function compareResults(baseline: Baseline, results: readonly Result[]): Comparison[] {
  return results.flatMap(({ name, figures }) =>
    figures.filter(isRatio).flatMap((figure) => {
      const before = baseline[name]?.[figure.label]
      return before === undefined ? [] : [comparison(name, figure, before)]
    }),
  )
}

/** What the baseline has and the results lack: a figure that is gone is not a figure that held. */
export function missingFrom(baseline: Baseline, results: readonly Result[]): string[] {
  const here = new Set(
    results.flatMap(({ name, figures }) =>
      figures.filter(isRatio).map(({ label }) => `${name}: ${label}`),
    ),
  )
  return Object.entries(baseline).flatMap(([bench, figures]) =>
    Object.keys(figures)
      .map((label) => `${bench}: ${label}`)
      .filter((name) => !here.has(name)),
  )
}

export function comparisonLine({ bench, label, before, now, change, fell }: Comparison): string {
  const percent = `${change >= 1 ? '+' : ''}${((change - 1) * 100).toFixed(0)}%`
  return `${fell ? 'FELL' : 'held'}  ${bench}: ${label}  ${shown(before)} -> ${shown(now)} (${percent})`
}

function isRatio(figure: KeptFigure): boolean {
  return figure.against !== undefined
}

function comparison(bench: string, figure: KeptFigure, before: BaselineFigure): Comparison {
  const { label, reached, better } = figure
  const change = better === 'higher' ? reached / before.reached : before.reached / reached
  // NaN, which a division by nothing gives, has fallen too.
  const fell = !(change >= 1 - TOLERANCE)
  return { bench, label, before: before.reached, now: reached, change, fell }
}

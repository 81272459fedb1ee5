/** @file What a bench leaves: `bench/results/NAME.json`, one file per bench, and how its figures read. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Curve, Figure, Floor, Measured } from './bench.ts'
import { median } from './harness.ts'
import type { Machine } from './machine.ts'

/** A figure as it is kept: its rounds and what they come to. */
export interface KeptFigure extends Figure {
  /** The ratio of medians with `against`, else the median. */
  readonly reached: number
  /** Undefined without a target. */
  readonly met?: boolean
}

export interface Result {
  readonly name: string
  readonly summary: string
  readonly command: string
  readonly measured_on: string
  readonly commit: string
  readonly machine: Machine
  /** How long the whole bench took; absent where nobody looked. */
  readonly seconds?: number
  readonly versions: Readonly<Record<string, string>>
  readonly facts: Readonly<Record<string, string | number>>
  readonly figures: readonly KeptFigure[]
  readonly floors: readonly Floor[]
  readonly curves: readonly Curve[]
}

/** The ratio or the value of a figure, and whether its target was met. */
export function judged(figure: Figure): KeptFigure {
  const own = median(figure.rounds)
  const reached = figure.against === undefined ? own : own / median(figure.against.rounds)
  const { target } = figure
  if (target === undefined) return { ...figure, reached }
  return {
    ...figure,
    reached,
    met: figure.better === 'higher' ? reached >= target : reached <= target,
  }
}

/** The line of a figure, such as `join ratio 4.31 (target 4)`. */
export function lineOf(bench: string, figure: KeptFigure, headline: boolean): string {
  const name = headline ? bench : `${bench}: ${figure.label}`
  const { reached, target, better, against, unit } = figure
  const value = against === undefined ? `${shown(reached)} ${unit}` : `ratio ${shown(reached)}`
  if (target === undefined) return `${name} ${value}`
  const most = better === 'lower' ? 'at most ' : ''
  return `${name} ${value} (target ${most}${shown(target)})`
}

/** Three digits, or all digits of what is larger. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

/** Puts a result together; what was measured comes from the bench, the rest from here. */
export function resultOf(
  measured: Measured,
  about: Omit<Result, 'versions' | 'facts' | 'figures' | 'floors' | 'curves'>,
): Result {
  const { figures, floors = [], curves = [], versions = {}, facts = {} } = measured
  return {
    ...about,
    versions: { node: process.version, ...versions },
    facts,
    figures: figures.map(judged),
    floors,
    curves,
  }
}

export function writeResult(folder: string, result: Result): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${result.name}.json`), `${JSON.stringify(result, undefined, 2)}\n`)
}

/** Every result of a folder, by name. */
export function readResults(folder: string): Result[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Result)
}

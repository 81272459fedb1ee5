/** @file Guesses windows and lateness from sample rows: how long feedback takes, how far the rows are out of order. */

import { readTime } from './field-profile.ts'
import { type KindGuess, keyText } from './guess-kinds.ts'

/** A length that a person would choose, ms. */
const ROUND_MS = [
  5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 21_600_000,
  86_400_000, 172_800_000, 604_800_000,
]

/** The least round length that is at least `ms`; whole weeks beyond the longest. */
export function roundUp(ms: number): number {
  const week = 604_800_000
  return ROUND_MS.find((length) => length >= ms) ?? Math.ceil(ms / week) * week
}

/** How long the feedback of one kind took after its impression. */
export interface DelayGuess {
  /** 99 % of the feedback came within this, ms; undefined when none found its impression. */
  readonly p99Ms: number | undefined
  /** Share that found an impression before it. */
  readonly matched: number
}

/** Delays by the latest impression with the same key that was not later. */
export function guessDelay(
  anchor: KindGuess,
  feedback: KindGuess,
  key: readonly string[],
): DelayGuess {
  const shown = new Map<string, number[]>()
  for (const row of anchor.rows) {
    const time = readTime(row[anchor.time], anchor.timeUnit) ?? 0
    const name = keyText(row, key)
    const times = shown.get(name)
    if (times === undefined) shown.set(name, [time])
    else times.push(time)
  }
  const delays: number[] = []
  for (const row of feedback.rows) {
    const time = readTime(row[feedback.time], feedback.timeUnit) ?? 0
    const before = (shown.get(keyText(row, key)) ?? []).filter((one) => one <= time)
    if (before.length > 0) delays.push(time - before.reduce((a, b) => Math.max(a, b)))
  }
  delays.sort((a, b) => a - b)
  return {
    p99Ms: delays[Math.min(delays.length - 1, Math.floor(0.99 * delays.length))],
    matched: delays.length / Math.max(1, feedback.rows.length),
  }
}

/** The farthest that a row lies behind the newest one before it, within its kind, ms. */
export function guessDisorder(kinds: readonly KindGuess[]): number {
  let worst = 0
  for (const { rows, time, timeUnit } of kinds) {
    let newest = Number.NEGATIVE_INFINITY
    for (const row of rows) {
      const at = readTime(row[time], timeUnit) ?? newest
      worst = Math.max(worst, newest - at)
      newest = Math.max(newest, at)
    }
  }
  return Number.isFinite(worst) ? worst : 0
}

/**
 * @file KuaiRand has no times for the actions: these delays are drawn, and every figure about delays on KuaiRand rests on
 * them. Comment, follow and share take quantiles measured on an article-reading service; a draw is a function of the row's
 * key, so that a repeated row repeats its actions.
 */

import { mix32, randomFrom } from '../random.ts'
import type { LogRow, Outcome } from './kuairand-tables.ts'

/** Cumulative shares at which the measured delays are known; 0 and 1 are ends of our own. */
const SHARES = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1]
/** Seconds from a view to the action at `SHARES`: one second at the least, never beyond the 99th percentile. */
const SECONDS = {
  is_like: [1, 8, 24, 81, 285, 1_181, 4_252, 72_118, 72_118],
  is_follow: [1, 17, 42, 121, 366, 1_344, 4_056, 76_246, 76_246],
  is_comment: [1, 31, 60, 146, 440, 1_530, 4_689, 73_978, 73_978],
  // Shares were not measured; bookmarks were.
  is_forward: [1, 7, 20, 73, 422, 4_493, 25_420, 502_810, 502_810],
}
/** A view is long once it reaches the video's end or this, whichever is first. */
const LONG_VIEW_MS = 18_000

/**
 * Milliseconds from the impression to an action of it, at least 1. Click: 0.2 to 3 s. Long view: the moment it became one,
 * min(play time, duration, 18 s). Like: 0.2 to 0.95 of the play time, one in ten from the measured likes. Comment, follow,
 * share: log-linear between the measured quantiles.
 */
export function actionDelayMs(row: LogRow, outcome: Outcome): number {
  const random = randomFrom(mix32(hashOf(`${row.userId},${row.videoId},${row.timeMs},${outcome}`)))
  const uniform = random.uniform()
  return Math.max(1, Math.round(drawMs(row, outcome, uniform, random.uniform())))
}

function drawMs(row: LogRow, outcome: Outcome, uniform: number, tail: number): number {
  switch (outcome) {
    case 'is_click':
      return 200 + 2_800 * uniform
    case 'long_view':
      // Pictures have no length (0): only the play time and the 18 s count for them.
      return Math.min(row.playTimeMs, row.durationMs || LONG_VIEW_MS, LONG_VIEW_MS)
    case 'is_like':
      return tail < 0.1
        ? 1000 * quantile(SECONDS.is_like, uniform)
        : row.playTimeMs * (0.2 + 0.75 * uniform)
    case 'is_follow':
    case 'is_comment':
    case 'is_forward':
      return 1000 * quantile(SECONDS[outcome], uniform)
  }
}

/** The delay at a cumulative share, log-linear between the known ones. */
function quantile(seconds: readonly number[], share: number): number {
  const above = SHARES.findIndex((edge) => share < edge)
  const [from = 0, to = 1] = [SHARES[above - 1], SHARES[above]]
  const [low = 1, high = 1] = [seconds[above - 1], seconds[above]]
  return low * (high / low) ** ((share - from) / (to - from))
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

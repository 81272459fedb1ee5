/** @file What users do after an impression: outcomes with exact marginal probabilities, and how long they take. */

import type { Random } from '../random.ts'
import { type PerTask, WORLD_TASKS, type WorldTask } from './tasks.ts'
import type { WorldOptions } from './world-options.ts'

/** One action of a user on an impression. */
export interface Action {
  readonly task: WorldTask
  /** After the impression, ms, at least 1. */
  readonly delayMs: number
}

/** Share of the likes and shares that hang on the same chance as the click. */
const TIED = 0.5

/**
 * Draws the actions. Each happens with exactly its probability p; like and share take the click's own uniform number half
 * of the time, which correlates the actions beyond what their probabilities do and still leaves likes without a click.
 */
export function drawActions(p: PerTask, options: WorldOptions, random: Random): Action[] {
  const clickChance = random.uniform()
  const actions: Action[] = []
  for (const task of WORLD_TASKS) {
    const tied = task === 'click' || random.uniform() < TIED
    const chance = tied ? clickChance : random.uniform()
    if (chance < p[task]) actions.push({ task, delayMs: drawDelayMs(options.delays[task], random) })
  }
  return actions
}

/** Log-normal cut to `within_ms` by drawing again; with `beyond_share` uniform over the two windows after it. */
function drawDelayMs(delay: WorldOptions['delays'][WorldTask], random: Random): number {
  const { median_ms: medianMs, sigma, within_ms: withinMs, beyond_share: beyondShare } = delay
  if (random.uniform() < beyondShare)
    return Math.ceil(withinMs * (1.001 + 1.998 * random.uniform()))
  for (let attempt = 0; attempt < 16; attempt++) {
    const delayMs = Math.ceil(medianMs * Math.exp(sigma * random.normal()))
    if (delayMs <= withinMs) return Math.max(1, delayMs)
  }
  // A median far above `within_ms`: no log-normal to speak of is left inside it.
  return Math.max(1, Math.floor(withinMs * random.uniform()))
}

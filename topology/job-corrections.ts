/** @file What a job does about labels that are late, left out or drawn: in the loss, in what is counted, and what its models say of it. */

import type { Corrections } from '../src/publish/update.ts'
import { keepRates } from '../src/samples/options.ts'
import { type Job, startsAtImpressions } from '../src/settings/job.ts'
import type { DelayCorrection, LossCorrection } from '../src/train/corrected-loss.ts'

/** What is done about late positives; none where there are none. */
export function delayCorrection({ join, train }: Job): DelayCorrection {
  return join.emission === 'fast' ? (train.correction ?? 'fnc') : 'none'
}

/** How each task's loss is corrected; undefined where it is the plain one. */
export function lossCorrections(
  job: Job,
  tasks: readonly string[],
): (LossCorrection | undefined)[] {
  // The odds of what was drawn are p / (k Q), as those of a stream of early negatives are p / 1: the same loss.
  const delay = startsAtImpressions(job) ? delayCorrection(job) : 'fnc'
  return keepRates(job.negatives, tasks).map((rate) =>
    delay === 'none' && rate === 1 ? undefined : { delay, logKeepRate: Math.log(rate) },
  )
}

/** What a published model says about its labels. */
export function corrections(job: Job): Corrections {
  const tasks = job.join.tasks.map((task) => task.name)
  const rates = keepRates(job.negatives, tasks)
  const { drawn } = job.negatives
  const { emission, observeMs } = job.join
  const at = 'training' as const
  const fast = { at, emission, observe_ms: observeMs, correction: delayCorrection(job) }
  const keep = Object.fromEntries(tasks.map((task, i) => [task, rates[i]]))
  return {
    ...(emission === 'fast' ? { delayed_feedback: fast } : {}),
    ...(rates.some((rate) => rate < 1) ? { negative_sampling: { at, keep } } : {}),
    ...(drawn === undefined ? {} : { drawn_negatives: { at, per_action: drawn.per_action } }),
  }
}

/** Negatives that were left out of the learned rows count through those that stayed; opened rows are a fair share anyway. */
export function negativeWeights(job: Job, tasks: readonly string[]): readonly number[] | undefined {
  if (job.join.emission === 'fast' || !startsAtImpressions(job)) return undefined
  return keepRates(job.negatives, tasks).map((rate) => 1 / rate)
}

/** @file Every experiment on learning, in the order of docs/learning.md, then those of other pages; a new one is a file and a line here. */

import { actions } from './actions.ts'
import { delayedFeedback } from './delayed-feedback.ts'
import { drift } from './drift.ts'
import type { Experiment } from './experiment.ts'
import { freshness } from './freshness.ts'
import { negatives } from './negatives.ts'
import { outage } from './outage.ts'
import { publishedValues } from './published-values.ts'
import { skew } from './skew.ts'
import { spam } from './spam.ts'

export const EXPERIMENTS: readonly Experiment[] = [
  delayedFeedback,
  negatives,
  actions,
  outage,
  spam,
  skew,
  drift,
  freshness,
  publishedValues,
]

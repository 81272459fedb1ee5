/** @file Every quality figure of one task from its scored samples, so that all places that show quality compute it alike. */

import { auc } from './auc.ts'
import { logLossOf, normalizedEntropy } from './log-loss.ts'
import type { Quality } from './report.ts'

/** Running sums from which every figure but AUC follows. */
export interface QualitySums {
  samples: number
  /** Samples, each counted as often as it stands for: a negative that was sampled stands for those left out. */
  weight: number
  positives: number
  probability: number
  logloss: number
}

/** Sums of nothing. */
export function noSamples(): QualitySums {
  return { samples: 0, weight: 0, positives: 0, probability: 0, logloss: 0 }
}

/** Adds one scored sample with a known label in 0, 1, which counts `weight` times. */
export function addSample(sums: QualitySums, probability: number, label: number, weight = 1): void {
  sums.samples += 1
  sums.weight += weight
  sums.positives += label
  sums.probability += weight * probability
  sums.logloss += weight * logLossOf(probability, label)
}

/** The figures that need sums only. */
export function qualityOf(sums: QualitySums): Omit<Quality, 'auc'> {
  const { samples, positives } = sums
  if (samples === 0) return { samples, positives, ...NO_FIGURES }
  const logloss = sums.logloss / sums.weight
  const labelRate = positives / sums.weight
  return {
    samples,
    positives,
    logloss,
    normalizedEntropy: normalizedEntropy(logloss, labelRate),
    calibrationRatio: positives > 0 ? sums.probability / positives : undefined,
    labelRate,
  }
}

/** All figures of the given samples; each negative counts `negativeWeight` times, which leaves the AUC as it is. */
export function measureQuality(
  probabilities: Float32Array,
  labels: Float32Array,
  negativeWeight = 1,
): Quality {
  const sums = noSamples()
  for (let i = 0; i < labels.length; i++) {
    addSample(sums, probabilities[i]!, labels[i]!, labels[i]! > 0 ? 1 : negativeWeight)
  }
  return { auc: auc(probabilities, labels), ...qualityOf(sums) }
}

const NO_FIGURES = {
  logloss: undefined,
  normalizedEntropy: undefined,
  calibrationRatio: undefined,
  labelRate: undefined,
} as const

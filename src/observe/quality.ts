/** @file Every quality figure of one task from its scored samples, so that all places that show quality compute it alike. */

import { auc } from './auc.ts'
import { logLossOf, normalizedEntropy } from './log-loss.ts'
import type { Quality } from './report.ts'

/** Running sums from which every figure but AUC follows. */
export interface QualitySums {
  samples: number
  positives: number
  probability: number
  logloss: number
}

/** Sums of nothing. */
export function noSamples(): QualitySums {
  return { samples: 0, positives: 0, probability: 0, logloss: 0 }
}

/** Adds one scored sample with a known label in 0, 1. */
export function addSample(sums: QualitySums, probability: number, label: number): void {
  sums.samples += 1
  sums.positives += label
  sums.probability += probability
  sums.logloss += logLossOf(probability, label)
}

/** The figures that need sums only. */
export function qualityOf(sums: QualitySums): Omit<Quality, 'auc'> {
  const { samples, positives } = sums
  if (samples === 0) return { samples, positives, ...NO_FIGURES }
  const logloss = sums.logloss / samples
  const labelRate = positives / samples
  return {
    samples,
    positives,
    logloss,
    normalizedEntropy: normalizedEntropy(logloss, labelRate),
    calibrationRatio: positives > 0 ? sums.probability / positives : undefined,
    labelRate,
  }
}

/** All figures of the given samples. */
export function measureQuality(probabilities: Float32Array, labels: Float32Array): Quality {
  const sums = noSamples()
  for (let i = 0; i < labels.length; i++) addSample(sums, probabilities[i]!, labels[i]!)
  return { auc: auc(probabilities, labels), ...qualityOf(sums) }
}

const NO_FIGURES = {
  logloss: undefined,
  normalizedEntropy: undefined,
  calibrationRatio: undefined,
  labelRate: undefined,
} as const

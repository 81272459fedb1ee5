/** @file Any Gram method per parameter tensor instead of on the whole vector: one Gram matrix, one state, one answer per segment. */

import type { Balancer, BalancerState, TaskGradients } from './balancer.ts'

/** Coefficients per segment, in segment order, and the state of each. */
export interface SegmentsBalanced {
  readonly coefficients: readonly Float64Array[]
  readonly states: readonly BalancerState[]
}

/** First states of `segments` parameter tensors (or tables). */
export function initSegments(balancer: Balancer, tasks: number, segments: number): BalancerState[] {
  return Array.from({ length: segments }, () => balancer.init(tasks))
}

/**
 * The method applied to each segment on its own: `grams[s]` is the Gram matrix of the gradients' parts in segment s. MetaBalance
 * and GradVac are per tensor in their papers.
 */
export function perSegment(
  balancer: Balancer,
  gradients: Omit<TaskGradients, 'gram'>,
  grams: readonly Float64Array[],
  states: readonly BalancerState[],
): SegmentsBalanced {
  const balanced = grams.map((gram, s) =>
    balancer.coefficients(
      { ...gradients, gram },
      states[s] ?? balancer.init(gradients.active.length),
    ),
  )
  return {
    coefficients: balanced.map(({ coefficients }) => coefficients),
    states: balanced.map(({ state }) => state),
  }
}

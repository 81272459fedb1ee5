/**
 * @file Cross-entropy that is right although labels are late or negatives are left out. The stream that the learner sees is
 * not the truth: with `fast` emission every impression is a negative first, and with sampling only a share of the negatives is
 * there. Each correction changes the loss so that sigmoid(z) still converges to the true probability; scores need none.
 *
 * - Negatives kept at rate w: the observed log-odds are z - ln w (Monolith's LogitCorrection; exact for any w).
 * - Negatives drawn at rate k Q(i) for each action (Yi et al. 2019, logQ): the observed odds are p / (k Q(i)), so as in fnc the
 *   observed log-odds are ln sigmoid(z) - ln k Q(i).
 * - fnc: BCE on z' = ln sigmoid(z) = -softplus(-z), as the stream converges to p / (1 + p) (Ktena et al. 2019, FNC, moved from
 *   serving into training, where it needs no clipping).
 * - fnw: negatives weigh 1 - f, positives 1, f = sigmoid(z) without gradient (Ktena et al. 2019, FNW, in the form that leaves
 *   each impression's total weight near 1).
 * - es-dfm: negatives weigh the estimated probability that they stay negative, positives 1 (Yang et al. 2021, the same form).
 * - retraction: a late positive takes its negative back, d[bce(1) - bce(0)]/dz = -1 exactly, whatever z is.
 */

import type { CrossEntropy } from '../tensors/binary-cross-entropy.ts'
import type { FloatArray } from '../tensors/engine.ts'

/** What is done about negatives that turn positive later. */
export type DelayCorrection = 'none' | 'fnc' | 'fnw' | 'es-dfm' | 'retraction'

/** How one task's loss is corrected. */
export interface LossCorrection {
  readonly delay: DelayCorrection
  /** ln w where negatives are kept at rate w; 0 without sampling. */
  readonly logKeepRate: number
}

/** One task's rows, each list of length rows. */
export interface CorrectedRows {
  readonly labels: FloatArray
  /** Mask times importance. */
  readonly weights: FloatArray
  /** ln k Q of the row's item where negatives are drawn. */
  readonly logDrawRates: Float32Array | undefined
  /** 1 for late positives. */
  readonly latePositive: Uint8Array | undefined
  /** 1 for late positives whose negative was sampled out, so that there is nothing to take back. */
  readonly unpaired: Float32Array | undefined
  /** Probability that a negative stays one; needed by es-dfm. */
  readonly realNegative: Float32Array | undefined
  /** What the sums are divided by. */
  readonly normalizer: number
}

/**
 * The mean loss and its gradient by the logits, in float64. The loss of a retracting row is that of its positive alone, so that
 * balancers never see a negative loss; its gradient is -weight. |gradient| of a row never exceeds its weight / normalizer.
 */
export function correctedCrossEntropy(
  logits: FloatArray,
  rows: CorrectedRows,
  { delay, logKeepRate }: LossCorrection,
): CrossEntropy {
  const gradient = new Float64Array(logits.length)
  let loss = 0
  for (let i = 0; i < logits.length; i++) {
    const weight = rows.weights[i]!
    if (weight === 0) continue
    const z = logits[i]!
    const y = rows.labels[i]!
    // What the stream shows: the logit of the observed label, and its derivative by z.
    const shift = logKeepRate + (rows.logDrawRates?.[i] ?? 0)
    const observed = (delay === 'fnc' ? -softplus(-z) : z) - shift
    const slope = delay === 'fnc' ? sigmoid(-z) : 1
    const w = weight * negativeShare(delay, rows, i, z)
    loss += w * (softplus(observed) - observed * y)
    const taken = delay === 'retraction' && rows.latePositive?.[i] === 1 && rows.unpaired?.[i] !== 1
    gradient[i] = taken ? -weight : w * (sigmoid(observed) - y) * slope
  }
  for (let i = 0; i < gradient.length; i++) gradient[i]! /= rows.normalizer
  return { loss: loss / rows.normalizer, gradient }
}

/** By how much a row is weighed down for what it may turn into; positives are never. */
function negativeShare(delay: DelayCorrection, rows: CorrectedRows, i: number, z: number): number {
  if (rows.labels[i]! > 0) return 1
  if (delay === 'fnw') return sigmoid(-z)
  return delay === 'es-dfm' ? (rows.realNegative?.[i] ?? 1) : 1
}

/** ln(1 + e^x) without overflow and without losing the tail. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
}

function sigmoid(x: number): number {
  const tail = Math.exp(-Math.abs(x))
  return x >= 0 ? 1 / (1 + tail) : tail / (1 + tail)
}

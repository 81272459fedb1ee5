/** @file Shape checks of the tape: a wrong shape is a programming error, told with both shapes before a kernel runs. */

import { MillraceError } from '../errors.ts'
import type { FloatArray, ProductOptions } from './engine.ts'
import { lastAxis, sameShape, sizeOf } from './engine.ts'

type Shape = readonly number[]

/** A USAGE error that names the operation and the shapes it was given. */
export function shapeError(
  operation: string,
  shapes: readonly Shape[],
  rule?: string,
): MillraceError {
  const given = shapes.map((shape) => `[${shape.join(', ')}]`).join(' and ')
  return new MillraceError('USAGE', `${operation} does not work on ${given}`, {
    remedy: rule ?? 'give it variables of this tape whose shapes agree',
  })
}

/** As many values as the shape holds. */
export function valueCount(values: FloatArray, shape: Shape): void {
  if (values.length === sizeOf(shape)) return
  throw shapeError(`upload of ${values.length} values`, [shape], 'give one value per element')
}

/** x [..., k], weight [k, n], bias [n]. */
export function linear(x: Shape, weight: Shape, bias: Shape | undefined): void {
  const fits = x.length > 0 && weight.length === 2 && lastAxis(x) === weight[0]
  const biasFits = bias === undefined || (bias.length === 1 && bias[0] === weight[1])
  if (fits && biasFits) return
  const shapes = bias === undefined ? [x, weight] : [x, weight, bias]
  throw shapeError('linear', shapes, 'x is [..., k], weight [k, n], bias [n]')
}

/** Inner dimensions agree, after the transposes asked for; leading ones too for a batch. */
export function product(
  operation: string,
  rank: number,
  a: Shape,
  b: Shape,
  { transposeA = false, transposeB = false }: ProductOptions,
): void {
  const innerA = a[transposeA ? rank - 2 : rank - 1]
  const innerB = b[transposeB ? rank - 1 : rank - 2]
  const ranksFit = a.length === rank && b.length === rank
  if (ranksFit && innerA === innerB && (rank === 2 || a[0] === b[0])) return
  throw shapeError(operation, [a, b], 'inner axes must agree after the transposes asked for')
}

/** b has a's shape, or is a row, a column or one number. */
export function broadcast(operation: string, a: Shape, b: Shape): void {
  if (sameShape(a, b) || sizeOf(b) === 1) return
  if (b.length === 1 && b[0] === lastAxis(a)) return
  if (b.length === a.length && sameShape(b, [...a.slice(0, -1), 1])) return
  throw shapeError(operation, [a, b], 'b is of a’s shape, a row [n], a column [..., 1] or [1]')
}

/** At least one part; all axes but the last agree. */
export function concat(shapes: readonly Shape[]): void {
  const rows = shapes[0]?.slice(0, -1)
  if (rows === undefined || shapes.some((shape) => !sameShape(shape.slice(0, -1), rows))) {
    throw shapeError('concat', shapes, 'give at least one variable; all axes but the last agree')
  }
}

/** The columns exist. */
export function slice(x: Shape, begin: number, size: number): void {
  if (x.length > 0 && begin >= 0 && size > 0 && begin + size <= lastAxis(x)) return
  throw shapeError(`slice of ${size} columns from ${begin}`, [x], 'stay inside the last axis')
}

/** A matrix or a batch of matrices. */
export function transpose(x: Shape): void {
  if (x.length === 2 || x.length === 3) return
  throw shapeError('transpose', [x], 'give rank 2 or 3')
}

/** gates [B, K] and K experts of one shape [B, h]. */
export function mix(gates: Shape, experts: readonly Shape[]): void {
  const first = experts[0]
  const fits =
    first !== undefined &&
    gates.length === 2 &&
    first.length === 2 &&
    gates[0] === first[0] &&
    gates[1] === experts.length &&
    experts.every((expert) => sameShape(expert, first))
  if (!fits) throw shapeError('mix', [gates, ...experts], 'gates [B, K] and K experts of [B, h]')
}

/** One label and one weight per logit. */
export function labelCount(logits: Shape, labels: FloatArray, weights: FloatArray): void {
  const rows = sizeOf(logits)
  if (labels.length === rows && weights.length === rows) return
  throw shapeError(
    `bceWithLogits with ${labels.length} labels and ${weights.length} weights`,
    [logits],
    'give one label and one weight per logit',
  )
}

/** The derivative is read off the sign of the output, so the slope must keep it. */
export function slopeRange(slope: number): void {
  if (slope >= 0 && slope < 1) return
  throw new MillraceError('USAGE', `leakyRelu slope ${slope}`, { remedy: 'give 0 <= slope < 1' })
}

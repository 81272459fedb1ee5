/** @file Vector-Jacobian products of the tape's operations, one maker per operation, in terms of engine kernels only. */

import type { Activation, Engine, ProductOptions, Tensor, Unary } from './engine.ts'
import { lastAxis, sameShape, sizeOf } from './engine.ts'
import type { Pullback } from './tape-node.ts'

/** activation(x w + b): dz = dy * f'(y); dx = dz wᵀ, dw = xᵀ dz, db = column sums of dz. */
export function ofLinear(
  x: Tensor,
  weight: Tensor,
  y: Tensor,
  activation: Activation | undefined,
  slope: number,
): Pullback {
  return (engine, cotangent, [wantX, wantWeight, wantBias]) => {
    const dz =
      activation === undefined
        ? cotangent
        : engine.unaryGradient(activation, cotangent, y, y, slope)
    const parts = [
      wantX ? engine.matMul(dz, weight, { transposeB: true }) : undefined,
      wantWeight ? engine.matMul(x, dz, { transposeA: true }) : undefined,
      wantBias ? engine.sumRows(dz) : undefined,
    ]
    if (dz !== cotangent) engine.dispose(dz)
    return parts
  }
}

/** y = a' b' with either operand read transposed; works for one product and for a batch of them. */
export function ofProduct(
  kernel: 'matMul' | 'batchMatMul',
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false }: ProductOptions,
): Pullback {
  return (engine, dy, [wantA, wantB]) => [
    wantA && transposeA
      ? engine[kernel](b, dy, { transposeA: transposeB, transposeB: true })
      : wantA
        ? engine[kernel](dy, b, { transposeB: !transposeB })
        : undefined,
    wantB && transposeB
      ? engine[kernel](dy, a, { transposeA: true, transposeB: transposeA })
      : wantB
        ? engine[kernel](a, dy, { transposeA: !transposeA })
        : undefined,
  ]
}

/** Sums a cotangent of the full shape down to the shape of a broadcast operand. */
function reduceTo(engine: Engine, cotangent: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(cotangent.shape, shape)) return engine.reshape(cotangent, shape)
  const summed = broadcastSum(engine, cotangent, shape)
  const shaped = engine.reshape(summed, shape)
  engine.dispose(summed)
  return shaped
}

function broadcastSum(engine: Engine, cotangent: Tensor, shape: readonly number[]): Tensor {
  if (sizeOf(shape) === 1) return engine.sum(cotangent)
  return shape.length === 1 ? engine.sumRows(cotangent) : engine.sumLast(cotangent)
}

/** a + sign * b with b broadcast. */
export function ofSum(a: Tensor, b: Tensor, sign: 1 | -1): Pullback {
  return (engine, cotangent, [wantA, wantB]) => {
    const da = wantA ? engine.reshape(cotangent, a.shape) : undefined
    if (!wantB) return [da]
    const reduced = reduceTo(engine, cotangent, b.shape)
    if (sign === 1) return [da, reduced]
    const db = engine.affine(reduced, -1, 0)
    engine.dispose(reduced)
    return [da, db]
  }
}

/** a * b with b broadcast. */
export function ofMul(a: Tensor, b: Tensor): Pullback {
  return (engine, cotangent, [wantA, wantB]) => {
    const da = wantA ? engine.mul(cotangent, b) : undefined
    if (!wantB) return [da]
    const full = engine.mul(cotangent, a)
    const db = reduceTo(engine, full, b.shape)
    engine.dispose(full)
    return [da, db]
  }
}

/** factor * x + offset. */
export function ofAffine(factor: number): Pullback {
  return (engine, cotangent) => [
    factor === 1 ? engine.reshape(cotangent, cotangent.shape) : engine.affine(cotangent, factor, 0),
  ]
}

/** Element-wise functions. */
export function ofUnary(kind: Unary, x: Tensor, y: Tensor, slope: number): Pullback {
  return (engine, cotangent) => [engine.unaryGradient(kind, cotangent, x, y, slope)]
}

/** softmax over the last axis. */
export function ofSoftmax(y: Tensor): Pullback {
  return (engine, cotangent) => [engine.softmaxGradient(cotangent, y)]
}

/** Concatenation along the last axis: each part takes its own columns back. */
export function ofConcat(parts: readonly Tensor[]): Pullback {
  return (engine, cotangent, wanted) => {
    let begin = 0
    return parts.map((part, i) => {
      const size = lastAxis(part.shape)
      const own = wanted[i] ? engine.slice(cotangent, begin, size) : undefined
      begin += size
      return own
    })
  }
}

/** Columns of the last axis: zero elsewhere. */
export function ofSlice(x: Tensor, begin: number): Pullback {
  return (engine, cotangent) => [engine.pad(cotangent, begin, lastAxis(x.shape))]
}

/** The same values under another shape. */
export function ofReshape(x: Tensor): Pullback {
  return (engine, cotangent) => [engine.reshape(cotangent, x.shape)]
}

/** The last two axes swapped. */
export const ofTranspose: Pullback = (engine, cotangent) => [engine.transpose(cotangent)]

/** Sum of everything: the scalar cotangent, repeated. */
export function ofTotal(x: Tensor): Pullback {
  return (engine, cotangent) => {
    const repeated = engine.repeatLast(cotangent, sizeOf(x.shape))
    const shaped = engine.reshape(repeated, x.shape)
    engine.dispose(repeated)
    return [shaped]
  }
}

/** Sum over the last axis: the cotangent, repeated along it. */
export function ofSumLast(x: Tensor): Pullback {
  return (engine, cotangent) => [engine.repeatLast(cotangent, lastAxis(x.shape))]
}

/** The gated mixture; input 0 is the gates, input 1 + k is expert k. */
export function ofMix(gates: Tensor, experts: readonly Tensor[]): Pullback {
  return (engine, cotangent, wanted) => [
    wanted[0] ? engine.mixGatesGradient(cotangent, experts) : undefined,
    ...experts.map((_, k) =>
      wanted[k + 1] ? engine.mixExpertGradient(cotangent, gates, k) : undefined,
    ),
  ]
}

/** A scalar whose gradient was computed with its value: scaled by the scalar cotangent. */
export function ofPrecomputed(gradient: Tensor): Pullback {
  return (engine, cotangent) => [engine.mul(gradient, cotangent)]
}

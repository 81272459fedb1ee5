/** @file The gated mixture and its gradients as batched operations on the experts' outputs side by side. */

import type { Tensor } from './engine.ts'
import type { NativeOperations } from './native-operations.ts'
import { idOf, nativeTensor, stackOf } from './native-tensor.ts'

/** sum over k of gates[:, k] * experts[k], one product per row: [1, K] x [K, h]. */
export function mixOf(tf: NativeOperations, gates: Tensor, experts: readonly Tensor[]): number {
  const [batch, count] = [gates.shape[0]!, experts.length]
  const row = tf.reshape(idOf(gates), [batch, 1, count])
  const mixed = tf.run('BatchMatMulV2', [row, stackOf(tf, experts, 1)], tf.plainProduct)
  tf.free(row)
  return reshaped(tf, mixed, experts[0]!.shape)
}

/** Row-wise dot products of the cotangent [B, h] with each expert: [B, K]. */
export function gatesGradientOf(
  tf: NativeOperations,
  cotangent: Tensor,
  experts: readonly Tensor[],
): number {
  const [batch, width] = [cotangent.shape[0]!, cotangent.shape[1]!]
  const row = tf.reshape(idOf(cotangent), [batch, 1, width])
  const products = tf.run('Mul', [stackOf(tf, experts, 1), row])
  const sums = tf.sum(products, [2])
  tf.free(row, products)
  return sums
}

/** cotangent [B, h] * gates[:, k]. */
export function expertGradientOf(
  tf: NativeOperations,
  cotangent: Tensor,
  gates: Tensor,
  k: number,
): number {
  const tensor = nativeTensor(gates)
  tensor.columns ??= tf.columns(idOf(gates), gates.shape[1]!)
  return tf.run('Mul', [idOf(cotangent), tensor.columns[k]!])
}

function reshaped(tf: NativeOperations, id: number, shape: readonly number[]): number {
  const out = tf.reshape(id, shape)
  tf.free(id)
  return out
}

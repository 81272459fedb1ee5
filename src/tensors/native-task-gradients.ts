/** @file Task gradients side by side as a matrix [T, n]: one product compares them, another combines them. */

import type { Tensor } from './engine.ts'
import { sizeOf } from './engine.ts'
import type { NativeOperations } from './native-operations.ts'
import { idOf, stackOf } from './native-tensor.ts'

/** All dot products, row-major: G Gᵀ. As a row times a column, one by one, the library took ten times as long. */
export function gramOf(tf: NativeOperations, tensors: readonly Tensor[]): Float32Array {
  const rows = matrixOf(tf, tensors)
  const product = tf.run('MatMul', [rows, rows], tf.secondTransposed)
  const values = tf.read(product)
  tf.free(rows, product)
  return values
}

/** c_1 g_1 + ... + c_T g_T as the product of a row with the matrix; without coefficients the plain sum. */
export function weightedSumOf(
  tf: NativeOperations,
  tensors: readonly Tensor[],
  coefficients: ArrayLike<number> | undefined,
): number {
  const [first] = tensors
  if (coefficients === undefined || isOnes(coefficients)) {
    return tf.run('AddN', tensors.map(idOf), [tf.int('N', tensors.length)])
  }
  if (tensors.length === 1) return tf.scaled(idOf(first!), coefficients[0]!)
  const rows = matrixOf(tf, tensors)
  const weights = tf.create(Float32Array.from(coefficients), [1, tensors.length])
  const sum = tf.consume('MatMul', [weights, rows], tf.untransposed)
  const shaped = tf.reshape(sum, first!.shape)
  tf.free(sum)
  return shaped
}

/** Shares the stack's memory. */
function matrixOf(tf: NativeOperations, tensors: readonly Tensor[]): number {
  return tf.reshape(stackOf(tf, tensors, 0), [tensors.length, sizeOf(tensors[0]!.shape)])
}

function isOnes(coefficients: ArrayLike<number>): boolean {
  for (let i = 0; i < coefficients.length; i++) if (coefficients[i] !== 1) return false
  return true
}

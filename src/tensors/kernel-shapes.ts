/** @file The shapes of what kernels make, and the error about a tensor that an engine can not use: written once for all engines. */

import { MillraceError } from '../errors.ts'
import type { ProductOptions, Tensor } from './engine.ts'
import { lastAxis } from './engine.ts'

type Shape = readonly number[]

/** [m, k] x [k, n] after the transposes. */
export interface ProductSize {
  readonly m: number
  readonly k: number
  readonly n: number
  readonly transposeA: boolean
  readonly transposeB: boolean
}

export function productSize(
  { shape: a }: Tensor,
  { shape: b }: Tensor,
  { transposeA = false, transposeB = false }: ProductOptions,
): ProductSize {
  const m = a.at(transposeA ? -1 : -2) ?? 1
  const k = a.at(transposeA ? -2 : -1) ?? 1
  const n = b.at(transposeB ? -2 : -1) ?? 1
  return { m, k, n, transposeA, transposeB }
}

/** Of a product, or of a batch of them. */
export function productShape({ shape: a }: Tensor, { m, n }: ProductSize): Shape {
  return [...a.slice(0, -2), m, n]
}

/** All axes but the last. */
export function rowsOf({ shape }: Tensor): Shape {
  return shape.slice(0, -1)
}

/** The tensor's shape with a last axis of another length. */
export function withLast(tensor: Tensor, length: number): Shape {
  return [...rowsOf(tensor), length]
}

/** Of tensors put together along the last axis. */
export function concatShape(tensors: readonly Tensor[]): Shape {
  const width = tensors.reduce((sum, { shape }) => sum + lastAxis(shape), 0)
  return withLast(tensors[0]!, width)
}

/** The last two axes swapped. */
export function transposedShape({ shape }: Tensor): Shape {
  return [...shape.slice(0, -2), lastAxis(shape), shape.at(-2) ?? 1]
}

/** A USAGE error: the tensor is another engine's, or was disposed. */
export function unusableTensor({ shape }: Tensor): MillraceError {
  const what = `a disposed tensor, or another engine's, of shape [${shape.join(', ')}]`
  return new MillraceError('USAGE', what, {
    remedy:
      'use tensors with the engine that made them and dispose them once, after their last use',
  })
}

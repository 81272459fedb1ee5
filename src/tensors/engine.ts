/** @file The Engine port: about thirty numeric kernels on opaque tensors; the tape above it is written once, for every engine. */

import type { RowKernels } from '../row-kernels.ts'

/** Values as they enter and leave an engine. */
export type FloatArray = Float32Array | Float64Array

/** A handle on an array that lives inside one engine, row-major; scalars have shape []. Disposed once, by its owner. */
export interface Tensor {
  readonly shape: readonly number[]
}

/** Which operands of a product are read transposed (their last two axes swapped). */
export interface ProductOptions {
  readonly transposeA?: boolean
  readonly transposeB?: boolean
}

/** Element-wise functions of one argument. */
export type Unary = 'relu' | 'leakyRelu' | 'sigmoid' | 'exp' | 'log' | 'sin' | 'softplus'

/** What a fused linear layer can end with: functions whose derivative is a function of their output. */
export type Activation = 'relu' | 'leakyRelu' | 'sigmoid'

/** The engine's name as it appears in reports: equal names promise equal bytes for equal input. */
export type EngineName =
  | 'plain-float32'
  | 'plain-float64'
  | 'native'
  | 'tfjs-native'
  | 'tfjs-wasm'
  | 'tfjs-cpu'

/** One parameter and its moments, updated in place. */
export interface AdamArrays {
  readonly values: Float32Array
  readonly mean: Float32Array
  readonly square: Float32Array
}

/** m = beta1 m + (1 - beta1) g, v likewise with g^2, values -= rate m / (sqrt(v) + floor), where g = scale * gradient. */
export interface AdamStep {
  readonly beta1: number
  readonly beta2: number
  readonly rate: number
  readonly floor: number
  readonly scale: number
}

/** What an engine may offer beside its kernels: a dense step on gradients that stay inside it. */
export interface DenseKernels {
  /** Sum of squares; not finite as soon as one value is not. */
  squares(tensor: Tensor): number
  adam(weights: AdamArrays, gradient: Tensor, step: AdamStep): void
}

/** cotangent [B, h] times column k of gates [B, K]. */
export interface MixTerm {
  readonly cotangent: Tensor
  readonly gates: Tensor
  readonly k: number
}

/** Several kernels of a backward pass in one; the numbers are those of the kernels one after the other, up to rounding. */
export interface FusedKernels {
  /**
   * onto + dz [m, k] weight [n, k]ᵀ, the product 0 wherever `open` (the output of a relu) is not positive. `onto` belongs to the
   * engine from then on.
   */
  inputGradient(dz: Tensor, weight: Tensor, open?: Tensor, onto?: Tensor): Tensor
  /** The sum of the terms, at least one, 0 wherever `open` is not positive. */
  mixtureGradient(terms: readonly MixTerm[], open?: Tensor): Tensor
}

/**
 * The kernels that computation is made of. What a kernel is given stays the caller's, what it returns belongs to the caller, who disposes it; a kernel
 * never changes its operands. Shapes are checked by the tape, not here. In `add`, `sub` and `mul` the second operand has
 * the shape of the first, or is a row [n] along its last axis, a column [..., 1], or one number. Where the last axis is
 * named, all axes before it are rows.
 */
export interface Engine {
  readonly name: EngineName
  readonly dtype: 'float32' | 'float64'
  /** Absent: gradients are read, and stepped with outside. */
  readonly dense?: DenseKernels
  /** Absent: a backward pass takes the kernels one by one. */
  readonly fused?: FusedKernels
  /** Absent: rows of a table are stepped in JavaScript. */
  readonly rows?: RowKernels

  /** A tensor with a copy of `values`. */
  upload(values: FloatArray, shape: readonly number[]): Tensor
  /** A copy of the values, in the engine's dtype; in `into` where that fits and the engine can: new memory is dear. */
  read(tensor: Tensor, into?: FloatArray): FloatArray
  /** Gives the tensor back; using it afterwards is a programming error. */
  dispose(tensor: Tensor): void
  /** Handles not yet disposed: a leak shows as growth. */
  liveTensors(): number
  /** Arrays the engine holds for them, shared ones once, and any a kernel forgot. */
  liveBuffers(): number

  /** [m, k] x [k, n]. */
  matMul(a: Tensor, b: Tensor, options?: ProductOptions): Tensor
  /** [B, m, k] x [B, k, n]. */
  batchMatMul(a: Tensor, b: Tensor, options?: ProductOptions): Tensor
  /** activation(x [m, k] x weight [k, n] + bias [n]). */
  linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | undefined,
    activation: Activation | undefined,
    slope: number,
  ): Tensor

  add(a: Tensor, b: Tensor): Tensor
  sub(a: Tensor, b: Tensor): Tensor
  mul(a: Tensor, b: Tensor): Tensor
  /** factor * x + offset. */
  affine(x: Tensor, factor: number, offset: number): Tensor
  /** The function applied to every element; `slope` is leakyRelu's, in [0, 1). */
  unary(kind: Unary, x: Tensor, slope: number): Tensor
  /** cotangent * f'(x), with y = f(x); relu and leakyRelu have derivative 0 and `slope` at 0. */
  unaryGradient(kind: Unary, cotangent: Tensor, x: Tensor, y: Tensor, slope: number): Tensor

  /** Over the last axis. */
  softmax(x: Tensor): Tensor
  /** y * (cotangent - sum(cotangent * y)), row by row. */
  softmaxGradient(cotangent: Tensor, y: Tensor): Tensor

  /** Along the last axis. */
  concat(tensors: readonly Tensor[]): Tensor
  /** Columns [begin, begin + size) of the last axis. */
  slice(x: Tensor, begin: number, size: number): Tensor
  /** A last axis of `width`, zero but for `x` at `begin`: what `slice` pulls back. */
  pad(x: Tensor, begin: number, width: number): Tensor
  /** A second handle on the same values. */
  reshape(x: Tensor, shape: readonly number[]): Tensor
  /** Swaps the last two axes (rank 2 or 3). */
  transpose(x: Tensor): Tensor

  /** Sum of everything, shape []. */
  sum(x: Tensor): Tensor
  /** Over the last axis, which goes away. */
  sumLast(x: Tensor): Tensor
  /** Over all axes but the last: shape [n]. */
  sumRows(x: Tensor): Tensor
  /** `x` with a new last axis of `width` equal values. */
  repeatLast(x: Tensor, width: number): Tensor

  /** sum over k of gates[:, k] * experts[k]: gates [B, K], experts K of [B, h] -> [B, h]. */
  mix(gates: Tensor, experts: readonly Tensor[]): Tensor
  /** cotangent [B, h] * gates[:, k]: the gradient of expert k. */
  mixExpertGradient(cotangent: Tensor, gates: Tensor, k: number): Tensor
  /** [B, K] of row-wise dot products with each expert: the gradient of the gates. */
  mixGatesGradient(cotangent: Tensor, experts: readonly Tensor[]): Tensor

  /** Sum of coefficients[i] * tensors[i], all of one shape; coefficients default to 1. */
  weightedSum(tensors: readonly Tensor[], coefficients?: ArrayLike<number>): Tensor
  /** All dot products among tensors of one shape, row-major; read one triangle, rounding may differ between the two. */
  gram(tensors: readonly Tensor[]): FloatArray
}

/** How many values a shape holds. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1
  for (const axis of shape) size *= axis
  return size
}

/** Length of the last axis; 1 for a scalar. */
export function lastAxis(shape: readonly number[]): number {
  return shape.at(-1) ?? 1
}

/** True when both are the same list of axes. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

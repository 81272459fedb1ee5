/** @file The kernels of native/, compiled on this machine by `npm run native`: what each takes, and how they are found and loaded. */

import { createRequire } from 'node:module'
import { MillraceError, messageOf } from '../errors.ts'
import { findKernels } from './kernel-files.ts'
import type { Variables } from './native-addons.ts'

/** Tensors are numbers of this binding; sizes count floats. A function that makes a tensor returns its number. */
export interface KernelBinding {
  /** A tensor with a copy of the values. */
  upload(values: Float32Array): number
  /** Copies as many values as `into` has. */
  read(tensor: number, into: Float32Array): void
  release(tensor: number): void
  /** Tensors of this JavaScript thread. */
  inUse(): number
  /** Threads that share the work. */
  threads(): number
  /** activation(A B + bias): A [m, k], B [k, n], `batch` of each; bias -1 for none; activation 0 none, then as in `UNARY`. */
  product(
    a: number,
    b: number,
    batch: number,
    m: number,
    k: number,
    n: number,
    transposeA: number,
    transposeB: number,
    bias: number,
    activation: number,
    slope: number,
  ): number
  /** addend + dz [m, k] weight [n, k]ᵀ where `open` is positive, in the addend's memory if `inPlace`; -1 for an absent tensor. */
  inputGradient(
    dz: number,
    weight: number,
    m: number,
    k: number,
    n: number,
    open: number,
    addend: number,
    inPlace: number,
  ): number
  /** kind 0 add, 1 subtract, 2 multiply; b[row * rowStep + column * columnStep] stands beside a[row * width + column]. */
  binary(
    kind: number,
    a: number,
    b: number,
    size: number,
    width: number,
    rowStep: number,
    columnStep: number,
  ): number
  affine(x: number, size: number, factor: number, offset: number): number
  unary(kind: number, x: number, size: number, slope: number): number
  unaryGradient(kind: number, dy: number, x: number, y: number, size: number, slope: number): number
  softmax(x: number, rows: number, width: number): number
  softmaxGradient(dy: number, y: number, rows: number, width: number): number
  concat(parts: readonly number[], widths: Float64Array, rows: number): number
  slice(x: number, rows: number, width: number, begin: number, size: number): number
  pad(x: number, rows: number, size: number, begin: number, width: number): number
  transpose(x: number, batch: number, rows: number, columns: number): number
  sum(x: number, size: number): number
  sumLast(x: number, rows: number, width: number): number
  sumRows(x: number, rows: number, width: number): number
  repeatLast(x: number, size: number, width: number): number
  mix(gates: number, experts: readonly number[], rows: number, width: number): number
  mixExpertGradient(
    dy: number,
    gates: number,
    k: number,
    count: number,
    rows: number,
    width: number,
  ): number
  /** Sum of terms cotangent * gates[:, k]; `places`: k and the width of the gates, term by term; `open` as in `inputGradient`. */
  mixturesGradient(
    cotangents: readonly number[],
    gates: readonly number[],
    places: Float64Array,
    rows: number,
    width: number,
    open: number,
  ): number
  mixGatesGradient(dy: number, experts: readonly number[], rows: number, width: number): number
  weightedSum(
    tensors: readonly number[],
    size: number,
    coefficients: Float64Array | undefined,
  ): number
  /** Writes all dot products, row-major. */
  gram(tensors: readonly number[], size: number, into: Float64Array): void
  /** Sum of squares; not finite when a value is not. */
  squares(x: number, size: number): number
  /** One step of Adam in place: constants as `DenseAdam` works them out. */
  adam(
    values: Float32Array,
    mean: Float32Array,
    square: Float32Array,
    gradient: number,
    beta1: number,
    beta2: number,
    rate: number,
    floor: number,
    scale: number,
  ): void
  /** One step of Adagrad in place; `places`: page bits, record width, where values and state start, their width (`RowBlock`). */
  adagradRows(
    pages: readonly Float32Array[],
    places: Float64Array,
    rows: Int32Array,
    gradient: Float32Array,
    moved: Uint8Array,
    rate: number,
    epsilon: number,
    keep: number,
  ): void
  /** Rows of keys and their values (`KeyBlock`); `places`: page bits, record width, where values start, their width. */
  lookUpRows(
    shards: readonly Uint32Array[],
    pages: readonly Uint32Array[],
    places: Float64Array,
    hi: Uint32Array,
    lo: Uint32Array,
    count: number,
    rows: Int32Array,
    values: Float32Array,
  ): number
}

/** Compiled kernels that loaded, and in words which they are. */
export interface KernelLibrary {
  readonly binding: KernelBinding
  readonly origin: string
}

/** An ENGINE error that says why there are none. */
export function loadKernels(variables: Variables = process.env): KernelLibrary {
  const { file, absent } = findKernels(variables)
  if (absent !== undefined) throw unavailable(absent)
  try {
    const binding: unknown = createRequire(import.meta.url)(file)
    if (!isBinding(binding)) throw new TypeError('it lacks functions')
    const threads = binding.threads()
    return {
      binding,
      origin: `Millrace's own kernels, compiled for this processor, threads: ${threads}`,
    }
  } catch (thrown) {
    throw unavailable(`the compiled kernels ${file} do not load: ${messageOf(thrown)}`)
  }
}

function unavailable(message: string): MillraceError {
  return new MillraceError('ENGINE', message, {
    remedy: 'run npm run native, or use another engine; millrace doctor says what is missing',
  })
}

function isBinding(value: unknown): value is KernelBinding {
  if (typeof value !== 'object' || value === null) return false
  return ['upload', 'product', 'adam', 'adagradRows', 'lookUpRows'].every(
    (name) => typeof Reflect.get(value, name) === 'function',
  )
}

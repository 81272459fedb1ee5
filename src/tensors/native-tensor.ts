/** @file A handle on a tensor inside TensorFlow, with other forms of its values that several kernels want and that die with it. */

import type { Tensor } from './engine.ts'
import { unusableTensor } from './kernel-shapes.ts'
import type { NativeOperations } from './native-operations.ts'

/** Tensors of one shape in one tensor, along a new axis. */
interface Stack {
  readonly tensors: readonly Tensor[]
  readonly id: number
}

/** The id is gone once disposed. */
export class NativeTensor implements Tensor {
  readonly shape: readonly number[]
  id: number | undefined
  /** The columns [B, 1] of gates: each meets the cotangent. */
  columns: readonly number[] | undefined
  /** Stacks that begin with this tensor, by the axis along which: the last one asked for. */
  readonly stacks: [Stack | undefined, Stack | undefined] = [undefined, undefined]

  constructor(shape: readonly number[], id: number) {
    this.shape = shape
    this.id = id
  }

  /** Every id that goes with this tensor; it holds none afterwards. */
  release(): number[] {
    const ids = [this.id, ...this.stacks.map((stack) => stack?.id), ...(this.columns ?? [])]
    this.id = undefined
    this.columns = undefined
    this.stacks.fill(undefined)
    return ids.filter((id) => id !== undefined)
  }
}

/** The tensor as this engine's own; a USAGE error when it is another's or disposed. */
export function nativeTensor(tensor: Tensor): NativeTensor {
  if (tensor instanceof NativeTensor && tensor.id !== undefined) return tensor
  throw unusableTensor(tensor)
}

/** Its id, under the same conditions. */
export function idOf(tensor: Tensor): number {
  return nativeTensor(tensor).id!
}

/**
 * The tensors as one, along a new axis: made once and kept with the first of them while it lives. Every task mixes the same
 * experts, forth and back; task gradients are compared, then combined.
 */
export function stackOf(tf: NativeOperations, tensors: readonly Tensor[], axis: 0 | 1): number {
  const first = nativeTensor(tensors[0]!)
  const known = first.stacks[axis]
  if (known !== undefined && sameTensors(known.tensors, tensors)) return known.id
  const id = tf.stack(tensors.map(idOf), axis)
  if (known !== undefined) tf.free(known.id)
  first.stacks[axis] = { tensors: [...tensors], id }
  return id
}

function sameTensors(a: readonly Tensor[], b: readonly Tensor[]): boolean {
  return a.length === b.length && a.every((tensor, k) => tensor === b[k])
}

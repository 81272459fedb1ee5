/** @file A handle on memory of the native kernels; several handles may share it. */

import type { Tensor } from './engine.ts'
import { unusableTensor } from './kernel-shapes.ts'

/** Memory by number; given back with its last handle. */
export interface KernelBlock {
  readonly id: number
  handles: number
}

/** `gone` once disposed. */
export class KernelTensor implements Tensor {
  readonly shape: readonly number[]
  readonly block: KernelBlock
  gone = false

  constructor(shape: readonly number[], block: KernelBlock) {
    this.shape = shape
    this.block = block
  }
}

/** The tensor as this engine's own; a USAGE error when it is another's or disposed. */
export function kernelTensor(tensor: Tensor): KernelTensor {
  if (tensor instanceof KernelTensor && !tensor.gone) return tensor
  throw unusableTensor(tensor)
}

/** Its number, under the same conditions. */
export function idOf(tensor: Tensor): number {
  return kernelTensor(tensor).block.id
}

/** @file What arrives at one node in a reverse sweep: cotangents, and terms of mixtures that are summed when all of them are there. */

import type { Engine, FusedKernels, MixTerm, Tensor } from './engine.ts'
import type { TapeNode } from './tape-node.ts'

/** In order of arrival; everything belongs to the sweep. */
export class Arrivals {
  readonly #tensors: Tensor[] = []
  readonly #terms: MixTerm[] = []
  /** The output of the node's relu, if what arrives may have its derivative already. */
  readonly open: Tensor | undefined
  #isMasked = true

  constructor(open: Tensor | undefined) {
    this.open = open
  }

  get isEmpty(): boolean {
    return this.#tensors.length + this.#terms.length === 0
  }

  /** Whether the derivative of the node's relu is in what `gather` gives. */
  get isMasked(): boolean {
    return this.open !== undefined && this.#isMasked
  }

  /** A cotangent of the node's value. */
  push(tensor: Tensor): void {
    this.#isMasked = false
    this.#tensors.push(tensor)
  }

  /** A cotangent times a column of gates; the cotangent is the sweep's own handle. */
  pushTerm(term: MixTerm): void {
    this.#terms.push(term)
  }

  /** Adds dz weightᵀ, under the relu where there is one. */
  addProduct(fused: FusedKernels, dz: Tensor, weight: Tensor): void {
    this.#tensors.push(fused.inputGradient(dz, weight, this.open, this.#tensors.pop()))
  }

  /** The sum of everything, which the caller owns; `keeps` the arrivals' count at zero. */
  gather(engine: Engine): Tensor {
    if (engine.fused !== undefined && this.#terms.length > 0) {
      const sum = engine.fused.mixtureGradient(this.#terms, this.open)
      for (const { cotangent } of this.#terms) engine.dispose(cotangent)
      this.#terms.length = 0
      this.#tensors.push(sum)
    }
    const parts = this.#tensors.splice(0)
    const [first, ...rest] = parts
    if (first !== undefined && rest.length === 0) return first
    const total = engine.weightedSum(parts)
    for (const part of parts) engine.dispose(part)
    return total
  }
}

/** The output of a node's relu. */
export function reluOf(node: TapeNode): Tensor | undefined {
  const { fusion, tensor } = node
  return fusion?.kind === 'linear' && fusion.activation === 'relu' ? tensor : undefined
}

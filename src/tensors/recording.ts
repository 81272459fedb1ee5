/** @file The nodes of one tape, who owns their tensors, and backward passes over them. */

import { sweep } from './backward.ts'
import type { Engine, FloatArray, Tensor } from './engine.ts'
import * as check from './shape-checks.ts'
import type { Fusion, Pullback, TapeNode, Var } from './tape-node.ts'
import type { Gradients } from './task-gradients.ts'

/** Where a backward pass starts. Without a cotangent `of` must hold one value and starts with 1 (a loss). */
export interface Seed {
  readonly of: Var
  /** d(result)/d(of), as values or as a tensor of an earlier pass; stays the caller's. */
  readonly cotangent?: FloatArray | Tensor
}

/** `stopAtWrt`: nothing flows below a variable that is asked for (a cut), so the others are held fixed. */
export interface BackwardOptions {
  readonly stopAtWrt?: boolean
}

/** Grows while the forward pass runs; every tensor given to it is freed by `dispose`. */
export class Recording {
  readonly #engine: Engine
  readonly #nodes: TapeNode[] = []
  readonly #kept: Tensor[] = []

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Adds a value computed from `inputs`; without inputs gradients end here. */
  record(
    tensor: Tensor,
    inputs: readonly Var[],
    pullback: Pullback | undefined,
    fusion?: Fusion,
  ): Var {
    const index = this.#nodes.length
    const nodes = inputs.map((input) => this.node(input))
    const node = { shape: tensor.shape, index, tensor, inputs: nodes, pullback, fusion }
    this.#nodes.push(node)
    return node
  }

  /** The node of a variable; a USAGE error for one of another tape, or of this one before `dispose`. */
  node(x: Var): TapeNode {
    const node = this.#nodes[x.index]
    if (node === undefined || node !== x) throw check.shapeError('foreign variable', [x.shape])
    return node
  }

  /** Ties a tensor's life to the recording's. */
  keep(tensor: Tensor): Tensor {
    this.#kept.push(tensor)
    return tensor
  }

  /** The same for a list of gradients. */
  keepAll(gradients: Gradients): Gradients {
    for (const gradient of gradients) if (gradient !== undefined) this.keep(gradient)
    return gradients
  }

  /** See `Tape.backward`. */
  backward(
    seeds: readonly Seed[],
    wrt: readonly Var[],
    { stopAtWrt = false }: BackwardOptions = {},
  ): Gradients {
    const started = seeds.map((seed) => ({ node: this.node(seed.of), ...this.#cotangent(seed) }))
    const targets = wrt.map((x) => this.node(x))
    const gradients = sweep(this.#engine, this.#nodes, started, targets, stopAtWrt)
    for (const { cotangent, uploaded } of started) if (uploaded) this.#engine.dispose(cotangent)
    return this.keepAll(gradients)
  }

  /** Frees everything; the recording is empty afterwards. */
  dispose(): void {
    for (const node of this.#nodes) this.#engine.dispose(node.tensor)
    for (const tensor of this.#kept) this.#engine.dispose(tensor)
    this.#nodes.length = 0
    this.#kept.length = 0
  }

  #cotangent({ of, cotangent }: Seed): { cotangent: Tensor; uploaded: boolean } {
    if (cotangent !== undefined && 'shape' in cotangent) return { cotangent, uploaded: false }
    const values = cotangent ?? Float64Array.of(1)
    check.valueCount(values, of.shape)
    return { cotangent: this.#engine.upload(values, of.shape), uploaded: true }
  }
}

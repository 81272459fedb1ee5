/**
 * @file Runs a model's forward graph for scoring: no gradients, weights that stay in the engine from request to request, and first
 * layers that compute what all rows have in common once.
 */

import { MillraceError } from '../errors.ts'
import type { Engine, Tensor } from '../tensors/engine.ts'
import { FirstLayers } from './first-layers.ts'
import { type ForwardGraph, type GraphNode, inputsOf } from './forward-graph.ts'
import { type GraphOperation, runOperation } from './graph-operations.ts'
import type { Parameters } from './parameters.ts'
import type { SplitInput } from './split-input.ts'
import { besides, type SplitMatrix, varyingWidth, whole } from './split-matrix.ts'

/** A value while the graph runs: in the engine, or a split matrix outside until an operation wants all of it. */
interface Value {
  tensor?: Tensor | undefined
  readonly split?: SplitMatrix
  /** The part of `split` that varies, once a layer has multiplied it. */
  varying?: Tensor | undefined
  /** A weight: outlives the run. */
  readonly kept?: boolean
}

/** One model on one engine. Holds engine memory for the weights until `release`. */
export class GraphRunner {
  readonly #engine: Engine
  readonly #graph: ForwardGraph
  readonly #parameters: Parameters
  readonly #layers: FirstLayers
  /** For each node the values that no later one reads. */
  readonly #lastReads: readonly (readonly number[])[]
  readonly #weights = new Map<string, Tensor>()

  constructor(engine: Engine, graph: ForwardGraph, parameters: Parameters) {
    this.#engine = engine
    this.#graph = graph
    this.#parameters = parameters
    this.#layers = new FirstLayers(engine, parameters)
    this.#lastReads = lastReads(graph)
  }

  /** Gives the engine's memory back: when parameters have changed, or the model is out of use. The next run takes it again. */
  release(): void {
    for (const tensor of this.#weights.values()) this.#engine.dispose(tensor)
    this.#weights.clear()
    this.#layers.release()
  }

  /** Probabilities, task-major: entry t * rows + i. */
  probabilities(input: SplitInput): Float32Array {
    const { nodes, logits } = this.#graph
    const values: Value[] = []
    try {
      for (const [i, node] of nodes.entries()) {
        values.push(this.#value(node, values, input))
        for (const done of this.#lastReads[i] ?? []) this.#drop(values[done])
      }
      const scores = new Float32Array(logits.length * input.rows)
      for (const [task, at] of logits.entries()) {
        const sigmoid = this.#engine.unary('sigmoid', this.#tensor(values[at]), 0)
        scores.set(this.#engine.read(sigmoid), task * input.rows)
        this.#engine.dispose(sigmoid)
      }
      return scores
    } finally {
      for (const value of values) this.#drop(value)
    }
  }

  #value(node: GraphNode, values: readonly Value[], input: SplitInput): Value {
    switch (node.op) {
      case 'input':
        return this.#inputNamed(node.name, input)
      case 'parameter':
        return { tensor: this.#weight(node.name), kept: true }
      case 'constant':
        return { tensor: this.#engine.upload(Float32Array.from(node.values), node.shape) }
      default: {
        const of = node.of.map((at) => values[at])
        return this.#ofSplit(node, of) ?? { tensor: this.#operation(node, of) }
      }
    }
  }

  /** Where a split input is only put beside another, or multiplied by a weight; undefined elsewhere. */
  #ofSplit(node: GraphOperation, of: readonly (Value | undefined)[]): Value | undefined {
    const [input] = of
    if (input?.split === undefined) return undefined
    if (node.op === 'concat') {
      const parts = of.flatMap((value) => value?.split ?? [])
      return parts.length < of.length ? undefined : { split: parts.reduce(besides) }
    }
    const [weight, bias] = node.of.slice(1).map((at) => parameterName(this.#graph.nodes[at]))
    if (node.op !== 'linear' || weight === undefined || input.split.shared.length === 0) {
      return undefined
    }
    const { rows, varying } = input.split
    input.varying ??= this.#engine.upload(varying, [rows, varyingWidth(input.split)])
    const layer = this.#layers.split(input.split, weight, bias)
    const { activation, slope = 0 } = node
    const y = this.#engine.linear(input.varying, layer.weight, layer.bias, activation, slope)
    this.#engine.dispose(layer.bias)
    return { tensor: y }
  }

  #operation(node: GraphOperation, of: readonly (Value | undefined)[]): Tensor {
    return runOperation(
      this.#engine,
      node,
      of.map((value) => this.#tensor(value)),
    )
  }

  #inputNamed(name: 'x' | 'dense' | 'wide', { rows, x, dense, wide }: SplitInput): Value {
    if (name === 'wide' && wide !== undefined) {
      return { tensor: this.#engine.upload(wide, [rows, wide.length / rows]) }
    }
    const split = name === 'x' ? x : dense
    if (split !== undefined) return { split }
    throw new MillraceError('BAD_INPUT', `the model reads ${name}, which the rows do not have`)
  }

  /** The value in the engine, as a whole. */
  #tensor(value: Value | undefined): Tensor {
    if (value?.split !== undefined) {
      const { rows, places } = value.split
      value.tensor ??= this.#engine.upload(whole(value.split), [rows, places.length])
    }
    if (value?.tensor !== undefined) return value.tensor
    throw new MillraceError('BAD_STATE', 'the graph reads a value that it has not made')
  }

  #weight(name: string): Tensor {
    const known = this.#weights.get(name)
    if (known !== undefined) return known
    const shape = this.#parameters.specs.find((spec) => spec.name === name)?.shape ?? []
    const tensor = this.#engine.upload(this.#parameters.view(name), shape)
    this.#weights.set(name, tensor)
    return tensor
  }

  #drop(value: Value | undefined): void {
    if (value === undefined || value.kept === true) return
    for (const tensor of [value.tensor, value.varying]) {
      if (tensor !== undefined) this.#engine.dispose(tensor)
    }
    value.tensor = undefined
    value.varying = undefined
  }
}

function parameterName(node: GraphNode | undefined): string | undefined {
  return node?.op === 'parameter' ? node.name : undefined
}

/** For each node the values that it is the last to read; logits are read to the end. */
function lastReads({ nodes, logits }: ForwardGraph): number[][] {
  const reads: number[][] = nodes.map(() => [])
  const seen = new Set(logits)
  for (let i = nodes.length - 1; i >= 0; i--) {
    for (const from of inputsOf(nodes[i])) {
      if (seen.has(from)) continue
      seen.add(from)
      reads[i]?.push(from)
    }
  }
  return reads
}

/**
 * @file A model's forward pass as a list of operations (docs/model-topic.md, "Graph"): what a consumer in another language runs
 * without knowing the model's kind, and what exports are made from. Traced from the same function that trains.
 */

import { MillraceError } from '../errors.ts'
import { ShapeEngine, type TracedCall } from '../tensors/shape-engine.ts'
import { Tape } from '../tensors/tape.ts'
import type { Model } from './model.ts'

/** Where a value comes from that no operation makes. */
export type GraphLeaf =
  | { readonly op: 'input'; readonly name: 'x' | 'dense' | 'wide' }
  | { readonly op: 'parameter'; readonly name: string }
  | {
      readonly op: 'constant'
      readonly shape: readonly number[]
      readonly values: readonly number[]
    }

/** One value; `of` names earlier ones by their place in the list. */
export type GraphNode = GraphLeaf | Exclude<TracedCall, { op: 'leaf' }>

/** Plain JSON. The batch axis of a shape is -1. */
export interface ForwardGraph {
  readonly nodes: readonly GraphNode[]
  /** One logit [B, 1] per task. */
  readonly logits: readonly number[]
}

/** Stands for the number of rows while tracing: a prime that no width is a multiple of. */
const ROWS = 1_000_003

/** Constants larger than this would be weights in disguise. */
const LARGEST_CONSTANT = 4_096

/** Traces `model.forward`; BAD_STATE when a value depends on the number of rows in a way that -1 cannot say. */
export function forwardGraph(model: Model): ForwardGraph {
  const engine = new ShapeEngine()
  const tape = new Tape(engine)
  const names = new Map<number, GraphLeaf>()
  const leaf = (node: GraphLeaf, shape: readonly number[]) => {
    names.set(engine.calls.length, node)
    return tape.resident(engine.upload(new Float32Array(0), shape))
  }
  const { fields, dense, tasks } = model.shape
  const input = (name: 'x' | 'dense' | 'wide', width: number) =>
    leaf({ op: 'input', name }, [ROWS, width])
  const parameters = new Map(
    model.parameters.map(({ name, shape }) => [name, leaf({ op: 'parameter', name }, shape)]),
  )
  const { logits } = model.forward(
    tape,
    (name) => {
      const known = parameters.get(name)
      if (known === undefined) throw new MillraceError('BAD_STATE', `no parameter ${name}`)
      return known
    },
    {
      x: input('x', fields * model.columnsPerField),
      ...(dense === 0 ? {} : { dense: input('dense', dense) }),
      ...(model.wide ? { wide: input('wide', tasks.length) } : {}),
    },
  )
  const ends = logits.map((logit) => tape.value(logit)[0] ?? -1)
  return pruned(
    engine.calls.map((call, i) => names.get(i) ?? nodeOf(call)),
    ends,
  )
}

function nodeOf(call: TracedCall): GraphNode {
  if (call.op === 'reshape') return { ...call, shape: call.shape.map(freed) }
  if (call.op !== 'leaf') return call
  const { shape, values } = call
  if (values.length > LARGEST_CONSTANT || shape.some((size) => size % ROWS === 0)) {
    throw new MillraceError('BAD_STATE', `a constant of shape ${shape} depends on the rows`)
  }
  return { op: 'constant', shape, values: [...values] }
}

/** An axis that is a multiple of the rows is left to the reader. */
function freed(size: number): number {
  return size % ROWS === 0 ? -1 : size
}

/** Only what leads to the ends, numbered anew. */
function pruned(nodes: readonly GraphNode[], ends: readonly number[]): ForwardGraph {
  const used = new Set<number>(ends)
  for (let i = nodes.length - 1; i >= 0; i--) {
    if (used.has(i)) for (const from of inputsOf(nodes[i])) used.add(from)
  }
  const kept = [...used].sort((a, b) => a - b)
  const places = new Map(kept.map((old, place) => [old, place]))
  const at = (old: number): number => places.get(old) ?? -1
  return {
    nodes: kept.map((old): GraphNode => {
      const node = nodes[old]!
      return 'of' in node ? { ...node, of: node.of.map(at) } : node
    }),
    logits: ends.map(at),
  }
}

/** The values that a node is made of. */
export function inputsOf(node: GraphNode | undefined): readonly number[] {
  return node !== undefined && 'of' in node ? node.of : []
}

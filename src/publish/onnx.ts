/**
 * @file A version's forward pass as an ONNX model (onnx.ai, IR version 8, operator set 13): pooled rows in, probabilities out. The
 * rows of the table are not in it; they are in the safetensors file or the client's hands.
 */

import type { ForwardGraph, GraphNode } from '../model/forward-graph.ts'
import { OnnxGraph } from './onnx-graph.ts'
import { Message } from './protobuf.ts'
import type { DenseWeights, UpdateContent } from './update.ts'

const IR_VERSION = 8
const OPERATOR_SET = 13

const UNARY: Readonly<Record<string, string>> = {
  relu: 'Relu',
  leakyRelu: 'LeakyRelu',
  sigmoid: 'Sigmoid',
  exp: 'Exp',
  log: 'Log',
  sin: 'Sin',
  softplus: 'Softplus',
  add: 'Add',
  sub: 'Sub',
  mul: 'Mul',
}

/**
 * The file's bytes. Inputs: `x` [B, slots x embedding columns], pooled vectors slot after slot; `dense` [B, D] and `wide` [B, T] where
 * the model has them. Output: `probabilities` [B, T], tasks in the header's order.
 */
export function onnxOf(graph: ForwardGraph, { dense, header }: UpdateContent): Uint8Array {
  const out = new OnnxGraph()
  const names: string[] = []
  const ranks: number[] = []
  for (const node of graph.nodes) {
    const of = 'of' in node ? node.of : []
    const made = writeNode(out, node, {
      inputs: of.map((at) => names[at] ?? ''),
      rank: ranks[of[0] ?? -1] ?? 2,
      dense,
    })
    names.push(made.name)
    ranks.push(made.rank)
  }
  const scores = graph.logits.map((at) => out.node('Sigmoid', [names[at] ?? '']))
  out.output('probabilities', out.node('Concat', scores, { axis: -1 }), header.tasks.length)
  return new Message()
    .int(1, IR_VERSION)
    .bytes(2, 'millrace')
    .bytes(7, out.finish(`${header.model_id} version ${header.sequence}`))
    .bytes(8, new Message().bytes(1, '').int(2, OPERATOR_SET))
    .finish()
}

interface NodePlace {
  readonly inputs: readonly string[]
  /** Of the first input. */
  readonly rank: number
  readonly dense: readonly DenseWeights[]
}

interface Made {
  readonly name: string
  readonly rank: number
}

function writeNode(out: OnnxGraph, node: GraphNode, place: NodePlace): Made {
  const { inputs, rank } = place
  const [a = '', b = ''] = inputs
  switch (node.op) {
    case 'input':
      return { name: out.input(node.name), rank: 2 }
    case 'parameter': {
      const found = place.dense.find(({ name }) => name === node.name)
      const { shape = [], values = new Float32Array(0) } = found ?? {}
      return { name: out.floats(shape, values, node.name), rank: shape.length }
    }
    case 'constant':
      return {
        name: out.floats(node.shape, Float32Array.from(node.values)),
        rank: node.shape.length,
      }
    case 'linear': {
      const product = out.node('MatMul', [a, b])
      const sum = inputs[2] === undefined ? product : out.node('Add', [product, inputs[2]])
      return {
        name: node.activation === undefined ? sum : unary(out, node.activation, sum, node.slope),
        rank: 2,
      }
    }
    case 'product': {
      const [ta, tb] = node.transpose
      const left = ta ? swapped(out, a, rank) : a
      return { name: out.node('MatMul', [left, tb ? swapped(out, b, rank) : b]), rank }
    }
    case 'affine': {
      const scaled = out.node('Mul', [a, out.floats([], Float32Array.of(node.factor))])
      return { name: out.node('Add', [scaled, out.floats([], Float32Array.of(node.offset))]), rank }
    }
    case 'softmax':
      return { name: out.node('Softmax', [a], { axis: -1 }), rank }
    case 'concat':
      return { name: out.node('Concat', inputs, { axis: -1 }), rank }
    case 'slice': {
      const bounds = [[node.begin], [node.begin + node.size], [-1]].map((list) => out.ints(list))
      return { name: out.node('Slice', [a, ...bounds]), rank }
    }
    case 'reshape':
      return { name: out.node('Reshape', [a, out.ints(node.shape)]), rank: node.shape.length }
    case 'transpose':
      return { name: swapped(out, a, rank), rank }
    case 'sum':
      return { name: out.node('ReduceSum', [a], { keepdims: 0 }), rank: 0 }
    case 'sum-last':
      return { name: out.node('ReduceSum', [a, out.ints([-1])], { keepdims: 0 }), rank: rank - 1 }
    case 'mix':
      return { name: mixture(out, a, inputs.slice(1)), rank: 2 }
    case 'add':
    case 'sub':
    case 'mul':
      return { name: out.node(UNARY[node.op] ?? '', [a, b]), rank }
    default:
      return { name: unary(out, node.op, a, node.slope), rank }
  }
}

function unary(out: OnnxGraph, kind: string, x: string, slope = 0): string {
  return out.node(UNARY[kind] ?? kind, [x], {}, kind === 'leakyRelu' ? { alpha: slope } : {})
}

/** The last two of `rank` axes change places. */
function swapped(out: OnnxGraph, x: string, rank: number): string {
  const axes = Array.from({ length: rank }, (_, axis) => axis)
  const perm = [...axes.slice(0, -2), rank - 1, rank - 2]
  return out.node('Transpose', [x], { perm })
}

/** [B, 1, K] x [B, K, h]. */
function mixture(out: OnnxGraph, gates: string, experts: readonly string[]): string {
  const axis = out.ints([1])
  const stacked = experts.map((expert) => out.node('Unsqueeze', [expert, axis]))
  const all = out.node('Concat', stacked, { axis: 1 })
  const mixed = out.node('MatMul', [out.node('Unsqueeze', [gates, axis]), all])
  return out.node('Squeeze', [mixed, axis])
}

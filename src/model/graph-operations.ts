/** @file The operations of a forward graph as kernels of an engine. */

import type { Engine, Tensor } from '../tensors/engine.ts'
import { sizeOf } from '../tensors/engine.ts'
import type { GraphLeaf, GraphNode } from './forward-graph.ts'

/** A value that is made from others. */
export type GraphOperation = Exclude<GraphNode, GraphLeaf>

/** The value; the caller owns it. `of`: what the node names, in its order. */
export function runOperation(engine: Engine, node: GraphOperation, of: readonly Tensor[]): Tensor {
  const [a, b, c] = of as [Tensor, Tensor, Tensor | undefined]
  switch (node.op) {
    case 'linear':
      return engine.linear(a, b, c, node.activation, node.slope ?? 0)
    case 'product': {
      const [transposeA, transposeB] = node.transpose
      const product = a.shape.length === 3 ? 'batchMatMul' : 'matMul'
      return engine[product](a, b, { transposeA, transposeB })
    }
    case 'add':
    case 'sub':
    case 'mul':
      return engine[node.op](a, b)
    case 'affine':
      return engine.affine(a, node.factor, node.offset)
    case 'softmax':
    case 'transpose':
    case 'sum':
      return engine[node.op](a)
    case 'sum-last':
      return engine.sumLast(a)
    case 'concat':
      return engine.concat(of)
    case 'mix':
      return engine.mix(a, of.slice(1))
    case 'slice':
      return engine.slice(a, node.begin, node.size)
    case 'reshape':
      return engine.reshape(a, filledIn(node.shape, sizeOf(a.shape)))
    default:
      return engine.unary(node.op, a, node.slope ?? 0)
  }
}

/** The axis -1 is what is left over. */
function filledIn(shape: readonly number[], size: number): readonly number[] {
  const known = sizeOf(shape.filter((axis) => axis >= 0))
  return shape.map((axis) => (axis < 0 ? size / known : axis))
}

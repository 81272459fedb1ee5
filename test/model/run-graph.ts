/** @file Runs a forward graph with plain loops: the slow and obvious reading of docs/model-topic.md, "Graph". */

import type { ForwardGraph, GraphNode } from '../../src/model/forward-graph.ts'

export interface Values {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** Every value of the graph, in order. */
export function runGraph(graph: ForwardGraph, leafOf: (name: string) => Values): Values[] {
  const values: Values[] = []
  for (const node of graph.nodes) values.push(runNode(node, values, leafOf))
  return graph.logits.map((at) => values[at]!)
}

function runNode(
  node: GraphNode,
  values: readonly Values[],
  leafOf: (name: string) => Values,
): Values {
  if (node.op === 'constant') return { shape: node.shape, data: node.values }
  if (node.op === 'input' || node.op === 'parameter') return leafOf(node.name)
  const of = node.of.map((at) => values[at]!)
  const [a, b] = of as [Values, Values]
  switch (node.op) {
    case 'linear': {
      const y = product(a, b, false, false)
      const biased = of[2] === undefined ? y : pairwise(y, of[2], (p, q) => p + q)
      return node.activation === undefined
        ? biased
        : each(biased, unary(node.activation, node.slope))
    }
    case 'product':
      return product(a, b, ...node.transpose)
    case 'add':
      return pairwise(a, b, (p, q) => p + q)
    case 'sub':
      return pairwise(a, b, (p, q) => p - q)
    case 'mul':
      return pairwise(a, b, (p, q) => p * q)
    case 'affine':
      return each(a, (v) => node.factor * v + node.offset)
    case 'softmax':
      return byRow(a, (row) => {
        const high = Math.max(...row)
        const powers = row.map((v) => Math.exp(v - high))
        const total = powers.reduce((p, q) => p + q)
        return powers.map((v) => v / total)
      })
    case 'concat': {
      const rows = a.data.length / a.shape.at(-1)!
      const data = Array.from({ length: rows }, (_, r) => of.flatMap((one) => rowOf(one, r))).flat()
      return { shape: [...a.shape.slice(0, -1), data.length / rows], data }
    }
    case 'slice':
      return byRow(a, (row) => row.slice(node.begin, node.begin + node.size))
    case 'reshape': {
      const known = sizeOf(node.shape.filter((size) => size >= 0))
      return {
        shape: node.shape.map((size) => (size < 0 ? a.data.length / known : size)),
        data: a.data,
      }
    }
    case 'transpose':
      return transposed(a)
    case 'sum':
      return { shape: [], data: [a.data.reduce((p, q) => p + q)] }
    case 'sum-last': {
      const summed = byRow(a, (row) => [row.reduce((p, q) => p + q)])
      return { shape: a.shape.slice(0, -1), data: summed.data }
    }
    case 'mix': {
      const experts = of.slice(1)
      return byRow(a, (gates, r) =>
        rowOf(experts[0]!, r).map((_, c) =>
          gates.reduce((sum, g, k) => sum + g * rowOf(experts[k]!, r)[c]!, 0),
        ),
      )
    }
    default:
      return each(a, unary(node.op, node.slope))
  }
}

function unary(op: string, slope = 0): (v: number) => number {
  const functions: Record<string, (v: number) => number> = {
    relu: (v) => Math.max(0, v),
    leakyRelu: (v) => (v > 0 ? v : slope * v),
    sigmoid: (v) => 1 / (1 + Math.exp(-v)),
    exp: Math.exp,
    log: Math.log,
    sin: Math.sin,
    softplus: (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))),
  }
  const found = functions[op]
  if (found === undefined) throw new Error(`no operation ${op}`)
  return found
}

function rowOf(a: Values, r: number): number[] {
  const width = a.shape.at(-1) ?? 1
  return a.data.slice(r * width, (r + 1) * width)
}

function each(a: Values, f: (v: number) => number): Values {
  return { shape: a.shape, data: a.data.map(f) }
}

function byRow(a: Values, f: (row: number[], r: number) => number[]): Values {
  const rows = a.data.length / (a.shape.at(-1) ?? 1)
  const data = Array.from({ length: rows }, (_, r) => f(rowOf(a, r), r)).flat()
  return { shape: [...a.shape.slice(0, -1), data.length / rows], data }
}

function pairwise(a: Values, b: Values, f: (p: number, q: number) => number): Values {
  const width = a.shape.at(-1) ?? 1
  const at = (i: number): number => {
    if (b.data.length === a.data.length) return b.data[i]!
    if (b.data.length === 1) return b.data[0]!
    return b.shape.at(-1) === 1 ? b.data[Math.floor(i / width)]! : b.data[i % width]!
  }
  return { shape: a.shape, data: a.data.map((v, i) => f(v, at(i))) }
}

function transposed(a: Values): Values {
  const [rows = 1, columns = 1] = a.shape.slice(-2)
  const data = a.data.map((_, i) => {
    const [block, place] = [Math.floor(i / (rows * columns)), i % (rows * columns)]
    return a.data[block * rows * columns + (place % rows) * columns + Math.floor(place / rows)]!
  })
  return { shape: [...a.shape.slice(0, -2), columns, rows], data }
}

function product(first: Values, second: Values, ta: boolean, tb: boolean): Values {
  const [a, b] = [ta ? transposed(first) : first, tb ? transposed(second) : second]
  const [m = 1, k = 1] = a.shape.slice(-2)
  const n = b.shape.at(-1)!
  const batch = sizeOf(a.shape.slice(0, -2))
  const data: number[] = []
  for (let x = 0; x < batch; x++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0
        for (let l = 0; l < k; l++)
          sum += a.data[(x * m + i) * k + l]! * b.data[(x * k + l) * n + j]!
        data.push(sum)
      }
    }
  }
  return { shape: [...a.shape.slice(0, -2), m, n], data }
}

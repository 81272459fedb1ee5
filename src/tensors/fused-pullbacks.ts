/** @file Pullbacks on an engine with fused kernels: derivatives of relu and sums are made where a product or a mixture ends. */

import type { Arrivals } from './arrivals.ts'
import type { Engine, FusedKernels, Tensor } from './engine.ts'
import type { Fusion, TapeNode } from './tape-node.ts'

/** What a node's inputs get: undefined where no gradient is needed. */
export type Destinations = readonly (Arrivals | undefined)[]

/** Pulls a cotangent, which stays the caller's, to the operands; `isMasked`: with the derivative of the node's own relu. */
export function pullFused(
  engine: Engine,
  fused: FusedKernels,
  { node, fusion }: { readonly node: TapeNode; readonly fusion: Fusion },
  { cotangent, isMasked }: { readonly cotangent: Tensor; readonly isMasked: boolean },
  to: Destinations,
): void {
  if (fusion.kind === 'mix') {
    to[0]?.push(engine.mixGatesGradient(cotangent, fusion.experts))
    for (const k of fusion.experts.keys()) {
      const own = to[k + 1]
      if (own === undefined) continue
      const handle = engine.reshape(cotangent, cotangent.shape)
      own.pushTerm({ cotangent: handle, gates: fusion.gates, k })
    }
    return
  }
  const { x, weight, activation, slope } = fusion
  const y = node.tensor
  const dz =
    activation === undefined || isMasked
      ? cotangent
      : engine.unaryGradient(activation, cotangent, y, y, slope)
  to[0]?.addProduct(fused, dz, weight)
  to[1]?.push(engine.matMul(x, dz, { transposeA: true }))
  to[2]?.push(engine.sumRows(dz))
  if (dz !== cotangent) engine.dispose(dz)
}

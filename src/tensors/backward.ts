/** @file The reverse sweep of a tape: visits only nodes that lie between the seeds and what is asked for. */

import { Arrivals, reluOf } from './arrivals.ts'
import type { Engine, Tensor } from './engine.ts'
import { pullFused } from './fused-pullbacks.ts'
import type { TapeNode } from './tape-node.ts'
import type { Gradients } from './task-gradients.ts'

/** Where a sweep starts and with which cotangent; the tensor stays the caller's. */
export interface SweepSeed {
  readonly node: TapeNode
  readonly cotangent: Tensor
}

/** Marks the nodes of `nodes[0..top]` through which a gradient must flow to reach `wrt`. */
function markNeeded(
  nodes: readonly TapeNode[],
  top: number,
  wrt: readonly TapeNode[],
): { needed: Uint8Array; wanted: Uint8Array } {
  const needed = new Uint8Array(top + 1)
  const wanted = new Uint8Array(top + 1)
  for (const node of wrt) if (node.index <= top) wanted[node.index] = 1
  for (let i = 0; i <= top; i++) {
    let flows = wanted[i]!
    const inputs = nodes[i]!.inputs
    for (let j = 0; flows === 0 && j < inputs.length; j++) flows = needed[inputs[j]!.index]!
    needed[i] = flows
  }
  return { needed, wanted }
}

/**
 * Gradients of sum_i <seed_i, cotangent_i> at `wrt`, in that order; undefined where no path leads (exactly zero). With
 * `stopAtWrt` nothing flows through a wrt node, so each is differentiated with the others held fixed. The tensors
 * returned belong to the caller; no other tensor survives.
 */
export function sweep(
  engine: Engine,
  nodes: readonly TapeNode[],
  seeds: readonly SweepSeed[],
  wrt: readonly TapeNode[],
  stopAtWrt: boolean,
): Gradients {
  let top = -1
  for (const seed of seeds) top = Math.max(top, seed.node.index)
  const { needed, wanted } = markNeeded(nodes, top, wrt)
  // A cotangent that was asked for is one of the value, not of what lies before its relu.
  const pending = nodes
    .slice(0, top + 1)
    .map((node, i) => new Arrivals(wanted[i] === 1 ? undefined : reluOf(node)))
  for (const { node, cotangent } of seeds) {
    if (needed[node.index] === 1) {
      pending[node.index]!.push(engine.reshape(cotangent, node.shape))
    }
  }
  const found = new Map<number, Tensor>()
  for (let i = top; i >= 0; i--) {
    const arrived = pending[i]!
    if (arrived.isEmpty) continue
    const cotangent = arrived.gather(engine)
    if (wanted[i] === 0 || !stopAtWrt) {
      pull(engine, nodes[i]!, { cotangent, isMasked: arrived.isMasked }, needed, pending)
    }
    if (wanted[i] === 1) found.set(i, cotangent)
    else engine.dispose(cotangent)
  }
  return handOut(engine, wrt, found)
}

/** Applies one node's pullback and files the results under its inputs. */
function pull(
  engine: Engine,
  node: TapeNode,
  arrived: { readonly cotangent: Tensor; readonly isMasked: boolean },
  needed: Uint8Array,
  pending: readonly Arrivals[],
): void {
  if (node.pullback === undefined) return
  let any = false
  const wanted = node.inputs.map((input) => {
    const flows = needed[input.index] === 1
    any ||= flows
    return flows
  })
  if (!any) return
  const { fused } = engine
  if (fused !== undefined && node.fusion !== undefined) {
    const to = node.inputs.map(({ index }, j) => (wanted[j] ? pending[index] : undefined))
    pullFused(engine, fused, { node, fusion: node.fusion }, arrived, to)
    return
  }
  const parts = node.pullback(engine, arrived.cotangent, wanted)
  for (let j = 0; j < parts.length; j++) {
    const part = parts[j]
    if (part !== undefined) pending[node.inputs[j]!.index]!.push(part)
  }
}

/** One handle per wrt entry, also when a node is asked for twice. */
function handOut(
  engine: Engine,
  wrt: readonly TapeNode[],
  found: ReadonlyMap<number, Tensor>,
): Gradients {
  const given = new Set<number>()
  return wrt.map((node) => {
    const tensor = found.get(node.index)
    if (tensor === undefined || !given.has(node.index)) {
      given.add(node.index)
      return tensor
    }
    return engine.reshape(tensor, tensor.shape)
  })
}

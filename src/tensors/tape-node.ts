/** @file What a tape records: one node per operation, with the function that pulls a cotangent back to the operands. */

import type { Activation, Engine, Tensor } from './engine.ts'

/**
 * Vector-Jacobian product of one operation: cotangent of the output -> cotangents of the inputs, computed only where
 * `wanted` (index = position of the input). The cotangent stays the caller's; what is returned becomes the caller's.
 */
export type Pullback = (
  engine: Engine,
  cotangent: Tensor,
  wanted: readonly boolean[],
) => readonly (Tensor | undefined)[]

/** A value on a tape. Opaque: only its shape is anyone's business; it is good for the tape that made it. */
export interface Var {
  readonly shape: readonly number[]
  /** Its place on the tape. */
  readonly index: number
}

/** What an engine with fused kernels wants to know of an operation: the same as its pullback does, as data. */
export type Fusion =
  | {
      readonly kind: 'linear'
      readonly x: Tensor
      readonly weight: Tensor
      readonly activation: Activation | undefined
      readonly slope: number
    }
  | { readonly kind: 'mix'; readonly gates: Tensor; readonly experts: readonly Tensor[] }

/** A recorded value. Inputs always come before it on the tape. */
export interface TapeNode extends Var {
  readonly tensor: Tensor
  /** What the value depends on, as far as gradients go: empty for leaves, constants and stopped values. */
  readonly inputs: readonly TapeNode[]
  readonly pullback: Pullback | undefined
  readonly fusion?: Fusion | undefined
}

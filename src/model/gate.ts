/** @file Gates: softmax(W x) over experts, with ReLU hidden layers before it if asked for (MMoE, Ma et al., KDD 2018). */

import type { Tape, Var } from '../tensors/tape.ts'
import {
  linear,
  linearSpecs,
  reluStack,
  type Site,
  stackSpecs,
  stackWidth,
} from './dense-layers.ts'
import type { ParameterSource, ParameterSpec } from './model.ts'

/** Parameters of a gate over `experts`; without hidden layers only `name.out`. */
export function gateSpecs(
  site: Site,
  inputs: number,
  hidden: readonly number[],
  experts: number,
): ParameterSpec[] {
  return [
    ...stackSpecs(site, inputs, hidden),
    ...linearSpecs({ ...site, name: `${site.name}.out` }, stackWidth(inputs, hidden), experts),
  ]
}

/** Weights [B, experts], rows sum to 1. */
export function gateWeights(
  tape: Tape,
  parameter: ParameterSource,
  name: string,
  hidden: readonly number[],
  x: Var,
): Var {
  const body = reluStack(tape, parameter, name, hidden.length, x)
  return tape.softmax(linear(tape, parameter, `${name}.out`, body))
}

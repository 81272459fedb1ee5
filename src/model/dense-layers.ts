/** @file Stacks of linear layers with an activation after every one: bottoms, experts, gate and tower bodies. */

import type { LinearOptions, Tape, Var } from '../tensors/tape.ts'
import type { Owner, ParameterSource, ParameterSpec } from './model.ts'

/** Where a part's parameters live: the prefix of their names, whose they are, and on which side of the cut. */
export interface Site {
  readonly name: string
  readonly owner: Owner
  readonly place: 'trunk' | 'head'
}

/** `name.weight` [inputs, outputs] and, unless left out, `name.bias` [outputs]. */
export function linearSpecs(
  site: Site,
  inputs: number,
  outputs: number,
  bias: 'bias' | 'no-bias' = 'bias',
): ParameterSpec[] {
  const { name, owner, place } = site
  const weight: ParameterSpec = {
    name: `${name}.weight`,
    shape: [inputs, outputs],
    initial: { kind: 'glorot', fanIn: inputs, fanOut: outputs },
    owner,
    place,
  }
  if (bias === 'no-bias') return [weight]
  return [
    weight,
    { name: `${name}.bias`, shape: [outputs], initial: { kind: 'zeros' }, owner, place },
  ]
}

/** activation(x W + b) with the parameters of `linearSpecs`. */
export function linear(
  tape: Tape,
  parameter: ParameterSource,
  name: string,
  x: Var,
  options: LinearOptions = {},
): Var {
  return tape.linear(x, parameter(`${name}.weight`), parameter(`${name}.bias`), options)
}

/** Parameters `name.layer.i` of a stack with these widths. */
export function stackSpecs(site: Site, inputs: number, widths: readonly number[]): ParameterSpec[] {
  return widths.flatMap((width, i) =>
    linearSpecs({ ...site, name: `${site.name}.layer.${i}` }, widths[i - 1] ?? inputs, width),
  )
}

/** Width of what a stack gives: its last layer's, or the input's when it has none. */
export function stackWidth(inputs: number, widths: readonly number[]): number {
  return widths.at(-1) ?? inputs
}

/** x through `depth` layers, each linear then `options.activation`. */
export function stack(
  tape: Tape,
  parameter: ParameterSource,
  name: string,
  depth: number,
  x: Var,
  options: LinearOptions,
): Var {
  let out = x
  for (let i = 0; i < depth; i++) out = linear(tape, parameter, `${name}.layer.${i}`, out, options)
  return out
}

/** x through `depth` layers with ReLU after EVERY one, as the experts and bottoms of STEM's repository have it. */
export function reluStack(
  tape: Tape,
  parameter: ParameterSource,
  name: string,
  depth: number,
  x: Var,
): Var {
  return stack(tape, parameter, name, depth, x, { activation: 'relu' })
}

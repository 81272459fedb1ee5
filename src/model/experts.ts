/** @file Groups of experts: ReLU stacks of one shape on one input, named `name.k`. */

import type { Tape, Var } from '../tensors/tape.ts'
import { reluStack, type Site, stackSpecs } from './dense-layers.ts'
import type { ParameterSource, ParameterSpec } from './model.ts'

/** Parameters of `experts` stacks, `name.0` onwards. */
export function expertSpecs(
  site: Site,
  experts: number,
  inputs: number,
  widths: readonly number[],
): ParameterSpec[] {
  return Array.from({ length: experts }, (_, k) =>
    stackSpecs({ ...site, name: `${site.name}.${k}` }, inputs, widths),
  ).flat()
}

/** The outputs [B, h] of the group on `x`, in index order. */
export function expertOutputs(
  tape: Tape,
  parameter: ParameterSource,
  name: string,
  experts: number,
  widths: readonly number[],
  x: Var,
): Var[] {
  return Array.from({ length: experts }, (_, k) =>
    reluStack(tape, parameter, `${name}.${k}`, widths.length, x),
  )
}

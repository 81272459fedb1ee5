/**
 * @file Numeric inputs as fields, for backbones that work field by field: a bias-free linear map 1 -> width per input, as in
 * STEM's repository. Each then counts as one more field behind the embedded ones.
 */

import type { Tape, Var } from '../tensors/tape.ts'
import { linearSpecs, type Site } from './dense-layers.ts'
import type { ParameterSource, ParameterSpec } from './model.ts'

/** `name.i.weight` [1, width] for numeric input i. */
export function denseFieldSpecs(site: Site, inputs: number, width: number): ParameterSpec[] {
  return Array.from({ length: inputs }, (_, i) =>
    linearSpecs({ ...site, name: `${site.name}.${i}` }, 1, width, 'no-bias'),
  ).flat()
}

/** The fields [B, F * width] with the numeric ones [B, D] behind them; `fields` itself when there are none. */
export function withDenseFields(
  tape: Tape,
  parameter: ParameterSource,
  name: string,
  fields: Var,
  dense: Var | undefined,
): Var {
  const inputs = dense?.shape.at(-1) ?? 0
  if (dense === undefined || inputs === 0) return fields
  const mapped = Array.from({ length: inputs }, (_, i) =>
    tape.matMul(tape.slice(dense, i, 1), parameter(`${name}.${i}.weight`)),
  )
  return tape.concat([fields, ...mapped])
}

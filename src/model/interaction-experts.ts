/**
 * @file The private experts of DEPHN: a cross part (after DCN and DCN-V2) and a field part (after FINT) on one selected input.
 * Cross: x_(l+1) = x_0 * (x_l Omega) + x_0 (x_l . omega) + b [+ r * x_l]; the parent paper draws no residual, its best
 * variant has a trainable one. Field: V_(l+1) = V_0 * (Omega_F V_l) + omega_F * V_l, row-wise. No activations.
 */

import type { Tape, Var } from '../tensors/tape.ts'
import type { Site } from './dense-layers.ts'
import type { Initial, ParameterSource, ParameterSpec } from './model.ts'

/** Parameters `name.l.matrix|vector|bias[|residual]` of cross layers on inputs of this width. */
export function crossSpecs(
  site: Site,
  layers: number,
  width: number,
  residual: boolean,
): ParameterSpec[] {
  return Array.from({ length: layers }, (_, l) => {
    const part = partOf(site, l)
    return [
      part('matrix', [width, width], { kind: 'glorot', fanIn: width, fanOut: width }),
      part('vector', [width], { kind: 'glorot', fanIn: width, fanOut: 1 }),
      part('bias', [width], { kind: 'zeros' }),
      ...(residual ? [part('residual', [width], { kind: 'constant', value: 1 })] : []),
    ]
  }).flat()
}

/** x_L from x_0, both [B, F * d]. */
export function crossLayers(
  tape: Tape,
  parameter: ParameterSource,
  name: string,
  layers: number,
  residual: boolean,
  x0: Var,
): Var {
  const width = x0.shape.at(-1) ?? 0
  let x = x0
  for (let l = 0; l < layers; l++) {
    const at = `${name}.${l}`
    const projected = tape.matMul(x, tape.reshape(parameter(`${at}.vector`), [width, 1]))
    // x_0 * (x Omega) + x_0 (x . omega) = x_0 * (x Omega + x . omega), the dot product as a column.
    const product = tape.add(tape.matMul(x, parameter(`${at}.matrix`)), projected)
    const crossed = tape.add(tape.mul(x0, product), parameter(`${at}.bias`))
    x = residual ? tape.add(crossed, tape.mul(x, parameter(`${at}.residual`))) : crossed
  }
  return x
}

/** Parameters `name.l.matrix|vector` of field-interaction layers over F fields; the scale starts as a residual, at 1. */
export function fieldSpecs(site: Site, layers: number, fields: number): ParameterSpec[] {
  return Array.from({ length: layers }, (_, l) => {
    const part = partOf(site, l)
    return [
      part('matrix', [fields, fields], { kind: 'glorot', fanIn: fields, fanOut: fields }),
      part('vector', [fields], { kind: 'constant', value: 1 }),
    ]
  }).flat()
}

/** V_L as [B, F * d] from V_0 [B, F, d]. */
export function fieldLayers(
  tape: Tape,
  parameter: ParameterSource,
  name: string,
  layers: number,
  v0: Var,
): Var {
  const [rows = 0, fields = 0, dim = 0] = v0.shape
  // Fields stand on the last axis while layers run: mixing them is then one plain product.
  const first = tape.transpose(v0)
  let v = first
  for (let l = 0; l < layers; l++) {
    const mixed = tape.linear(v, parameter(`${name}.${l}.matrix`))
    v = tape.add(tape.mul(first, mixed), tape.mul(v, parameter(`${name}.${l}.vector`)))
  }
  return tape.reshape(tape.transpose(v), [rows, fields * dim])
}

function partOf(site: Site, layer: number) {
  return (part: string, shape: readonly number[], initial: Initial): ParameterSpec => ({
    ...site,
    name: `${site.name}.${layer}.${part}`,
    shape,
    initial,
  })
}

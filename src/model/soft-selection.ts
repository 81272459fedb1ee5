/**
 * @file Soft selection gating of DEPHN (IJCNN 2023, eq. 1): a learned share of self-attention over fields.
 * E_SA = softmax(Q K^T / sqrt(d)) V, one head, no biases; G = sigmoid(gate), one per field; E_sg = G E_SA + (1 - G) E.
 */

import type { Tape, Var } from '../tensors/tape.ts'
import { linearSpecs, type Site } from './dense-layers.ts'
import type { ParameterSource, ParameterSpec } from './model.ts'

/** `name.query|key|value.weight` [d, d] and `name.gate` [F], which starts at an even mixture. */
export function softSelectionSpecs(site: Site, fields: number, dim: number): ParameterSpec[] {
  const maps = ['query', 'key', 'value'].flatMap((part) =>
    linearSpecs({ ...site, name: `${site.name}.${part}` }, dim, dim, 'no-bias'),
  )
  const gate: ParameterSpec = {
    ...site,
    name: `${site.name}.gate`,
    shape: [fields],
    initial: { kind: 'zeros' },
  }
  return [...maps, gate]
}

/** E_sg from E, both [B, F, d]. */
export function softSelection(tape: Tape, parameter: ParameterSource, name: string, e: Var): Var {
  const [rows = 0, fields = 0, dim = 0] = e.shape
  const map = (part: string): Var => tape.linear(e, parameter(`${name}.${part}.weight`))
  const scores = tape.batchMatMul(map('query'), map('key'), { transposeB: true })
  const weights = tape.softmax(tape.scale(scores, 1 / Math.sqrt(dim)))
  const attended = tape.batchMatMul(weights, map('value'))
  const gate = repeatEach(tape, tape.sigmoid(parameter(`${name}.gate`)), dim)
  const change = tape.reshape(tape.sub(attended, e), [rows, fields * dim])
  // G E_SA + (1 - G) E = E + G (E_SA - E).
  return tape.add(e, tape.reshape(tape.mul(change, gate), [rows, fields, dim]))
}

/** [n] -> [n * times], every value `times` times in a row: a product with a constant matrix of ones. */
export function repeatEach(tape: Tape, x: Var, times: number): Var {
  const n = x.shape[0] ?? 0
  const ones = tape.constant(new Float32Array(times).fill(1), [1, times])
  return tape.reshape(tape.matMul(tape.reshape(x, [n, 1]), ones), [n * times])
}

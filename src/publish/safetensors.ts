/**
 * @file A version as a safetensors file (github.com/huggingface/safetensors, format 0.4): a JSON header with dtypes, shapes and byte
 * ranges, then the tensors one after the other.
 */

import { type StateRows, stateRows } from './feature-state-section.ts'
import type { UpdateContent } from './update.ts'

interface NamedTensor {
  readonly name: string
  readonly dtype: 'F64' | 'F32' | 'U32'
  readonly shape: readonly number[]
  readonly values: Float64Array | Float32Array | Uint32Array
}

/** Header sizes are a multiple of this, so that tensors are aligned. */
const ALIGNMENT = 8

/**
 * `update` is a full one. Tensors: `statistics` [D, 3], `dense.<name>`, `rows.keys` [N, 2] (hi, lo), `rows.values` [N, width], and
 * `state.<feature>.keys` and `.values` as `rows` for each feature with a state (words of histories in place of floats).
 * The update's header is in the metadata, as JSON under `millrace`, beside the sha256 of the version.
 */
export function safetensorsOf(update: UpdateContent, sha256: string): Uint8Array {
  const { header, standardisation, dense, rows } = update
  const count = rows.keys.length / 2
  const tensors: NamedTensor[] = [
    {
      name: 'statistics',
      dtype: 'F64',
      shape: [standardisation.length / 3, 3],
      values: standardisation,
    },
    ...dense.map(
      ({ name, shape, values }): NamedTensor => ({
        name: `dense.${name}`,
        dtype: 'F32',
        shape,
        values,
      }),
    ),
    { name: 'rows.keys', dtype: 'U32', shape: [count, 2], values: rows.keys },
    { name: 'rows.values', dtype: 'F32', shape: [count, header.table.width], values: rows.values },
    ...stateRows(update.sections).flatMap(stateTensors),
  ]
  const entries: [string, unknown][] = [
    ['__metadata__', { format: 'millrace', sha256, millrace: JSON.stringify(header) }],
  ]
  let at = 0
  for (const { name, dtype, shape, values } of tensors) {
    entries.push([name, { dtype, shape, data_offsets: [at, at + values.byteLength] }])
    at += values.byteLength
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)))
  const padded = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded))
  const bodies = tensors.map(({ values }) =>
    Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  )
  return Buffer.concat([length, json, Buffer.alloc(padded - json.length, ' '), ...bodies])
}

function stateTensors({ name, width, rows: { keys, values } }: StateRows): NamedTensor[] {
  const count = keys.length / 2
  return [
    { name: `state.${name}.keys`, dtype: 'U32', shape: [count, 2], values: keys },
    { name: `state.${name}.values`, dtype: 'F32', shape: [count, width], values },
  ]
}

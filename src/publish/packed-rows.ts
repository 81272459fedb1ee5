/** @file Rows of an update as they travel: blocks of rows of one type; unpacked at once, or piece by piece where that would take long. */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import type { TableRows } from '../embeddings/table-rows.ts'
import { MillraceError } from '../errors.ts'
import { packingOf, VALUE_TYPES, type ValueType } from './value-type.ts'

/** Rows of one type, little-endian. */
interface RowBlock {
  readonly type: ValueType
  /** hi, lo, hi, lo ... */
  readonly keys: Uint8Array
  readonly values: Uint8Array
}

const KEY_BYTES = 8

/** Layouts of the section: 1 where every value is a float32, 2 with types. */
export type RowsLayout = 1 | 2

/** Rows and the types that they are published in. `keys` and `values` are what a follower gets: rounded. */
export class PackedRows implements TableRows {
  /** Widths of the column groups of a row. */
  readonly #widths: readonly number[]
  readonly #blocks: readonly RowBlock[]
  #whole: TableRows | undefined

  /** CORRUPT when keys and values of a block do not fit together. */
  constructor(widths: readonly number[], blocks: readonly RowBlock[]) {
    this.#widths = widths
    this.#blocks = blocks
    for (const { type, keys, values } of blocks) {
      const rows = keys.length / KEY_BYTES
      if (values.length === rows * packingOf(type, widths).stride) continue
      throw new MillraceError('CORRUPT', `${values.length} bytes of ${type} for ${rows} rows`)
    }
  }

  /** Every value as it is. */
  static exact(rows: TableRows, width: number): PackedRows {
    const block = { keys: bytesOf(rows.keys), values: bytesOf(rows.values) }
    const packed = new PackedRows([width], [{ type: 'float32', ...block }])
    packed.#whole = rows
    return packed
  }

  /** Rounds row i to `types[i]`; rows of one type come to stand together, in their order. */
  static pack(rows: TableRows, types: readonly ValueType[], widths: readonly number[]): PackedRows {
    const blocks = VALUE_TYPES.flatMap((type) => {
      const chosen = [...types.keys()].filter((row) => types[row] === type)
      return chosen.length === 0 ? [] : [packBlock(type, rows, chosen, widths)]
    })
    return new PackedRows(widths, blocks)
  }

  get layout(): RowsLayout {
    return this.#blocks.every(({ type }) => type === 'float32') ? 1 : 2
  }

  get count(): number {
    return this.#blocks.reduce((sum, { keys }) => sum + keys.length / KEY_BYTES, 0)
  }

  /** Of keys and values as they travel. */
  get bytes(): number {
    return this.#blocks.reduce((sum, { keys, values }) => sum + keys.length + values.length, 0)
  }

  get keys(): Uint32Array {
    return this.#all().keys
  }

  get values(): Float32Array {
    return this.#all().values
  }

  /** The same rows in the same order, at most so many at a time. */
  *pieces(most: number): Generator<TableRows> {
    for (const block of this.#blocks) {
      const count = block.keys.length / KEY_BYTES
      for (let from = 0; from < count; from += most) {
        yield unpackBlock(block, this.#widths, from, Math.min(count, from + most))
      }
    }
  }

  write(writer: ByteWriter): void {
    if (this.layout === 1) {
      writer.array(this.keys).array(this.values)
      return
    }
    writer.array(Uint32Array.from(this.#widths)).u32(this.#blocks.length)
    for (const { type, keys, values } of this.#blocks) writer.text(type).bytes(keys).bytes(values)
  }

  /** What `write` wrote, rows of `width` values; CORRUPT when it is none. */
  static read(reader: ByteReader, layout: RowsLayout, width: number): PackedRows {
    if (layout === 1) {
      return new PackedRows(
        [width],
        [{ type: 'float32', keys: reader.bytes(), values: reader.bytes() }],
      )
    }
    const widths = [...reader.uint32()]
    if (widths.reduce((sum, one) => sum + one, 0) !== width) {
      throw new MillraceError('CORRUPT', `column groups of ${widths} in rows of ${width} values`)
    }
    const blocks: RowBlock[] = []
    for (let left = reader.u32(); left > 0; left--) {
      blocks.push({ type: typeNamed(reader.text()), keys: reader.bytes(), values: reader.bytes() })
    }
    return new PackedRows(widths, blocks)
  }

  #all(): TableRows {
    this.#whole ??= joined([...this.pieces(Number.MAX_SAFE_INTEGER)])
    return this.#whole
  }
}

function packBlock(
  type: ValueType,
  { keys, values }: TableRows,
  chosen: readonly number[],
  widths: readonly number[],
): RowBlock {
  const { stride, pack } = packingOf(type, widths)
  const packed = new Uint8Array(chosen.length * stride)
  const view = new DataView(packed.buffer)
  const chosenKeys = new Uint32Array(2 * chosen.length)
  for (const [to, row] of chosen.entries()) {
    chosenKeys.set(keys.subarray(2 * row, 2 * row + 2), 2 * to)
    pack(values, row, view, to)
  }
  return { type, keys: bytesOf(chosenKeys), values: packed }
}

function unpackBlock(
  { type, keys, values }: RowBlock,
  widths: readonly number[],
  from: number,
  to: number,
): TableRows {
  const { stride, unpack } = packingOf(type, widths)
  const pieceKeys = new Uint32Array(aligned(keys.subarray(from * KEY_BYTES, to * KEY_BYTES)))
  const bytes = values.subarray(from * stride, to * stride)
  if (type === 'float32') return { keys: pieceKeys, values: new Float32Array(aligned(bytes)) }
  const width = widths.reduce((sum, one) => sum + one, 0)
  const unpacked = new Float32Array((to - from) * width)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let row = 0; row < to - from; row++) unpack(view, row, unpacked, row)
  return { keys: pieceKeys, values: unpacked }
}

function joined(pieces: readonly TableRows[]): TableRows {
  const [only, second] = pieces
  if (only !== undefined && second === undefined) return only
  const keys = new Uint32Array(pieces.reduce((sum, one) => sum + one.keys.length, 0))
  const values = new Float32Array(pieces.reduce((sum, one) => sum + one.values.length, 0))
  let [key, value] = [0, 0]
  for (const piece of pieces) {
    keys.set(piece.keys, key)
    values.set(piece.values, value)
    key += piece.keys.length
    value += piece.values.length
  }
  return { keys, values }
}

function typeNamed(name: string): ValueType {
  const type = VALUE_TYPES.find((known) => known === name)
  if (type !== undefined) return type
  throw new MillraceError('CORRUPT', `no type of values ${JSON.stringify(name)}`)
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** The bytes in a buffer of their own, where numbers may stand. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length)
  new Uint8Array(copy).set(bytes)
  return copy
}

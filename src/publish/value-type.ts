/**
 * @file The types in which rows are published, and their bytes (docs/model-topic.md, "Values"). Packing rounds; packing what was
 * unpacked rounds nothing more, so that trainer and follower agree on every value.
 */

import { fromHalf, toHalf } from './half-float.ts'

/** `int8`: whole numbers from -127 to 127 times a power of two of each row's column group. */
export const VALUE_TYPES = ['float32', 'float16', 'int8'] as const

export type ValueType = (typeof VALUE_TYPES)[number]

/** How rows of column groups with these widths are written in one type; `at` counts rows on both sides. */
export interface RowPacking {
  /** Bytes of one row. */
  readonly stride: number
  pack(values: Float32Array, at: number, out: DataView, to: number): void
  unpack(bytes: DataView, at: number, out: Float32Array, to: number): void
}

/** The packing of a type. */
export function packingOf(type: ValueType, widths: readonly number[]): RowPacking {
  const width = widths.reduce((sum, one) => sum + one, 0)
  switch (type) {
    case 'float32':
      return float32Rows(width)
    case 'float16':
      return float16Rows(width)
    case 'int8':
      return int8Rows(width, widths)
  }
}

function float32Rows(width: number): RowPacking {
  return {
    stride: 4 * width,
    pack: (values, at, out, to) => {
      for (let c = 0; c < width; c++)
        out.setFloat32(4 * (to * width + c), values[at * width + c]!, true)
    },
    unpack: (bytes, at, out, to) => {
      for (let c = 0; c < width; c++)
        out[to * width + c] = bytes.getFloat32(4 * (at * width + c), true)
    },
  }
}

function float16Rows(width: number): RowPacking {
  return {
    stride: 2 * width,
    pack: (values, at, out, to) => {
      for (let c = 0; c < width; c++)
        out.setUint16(2 * (to * width + c), toHalf(values[at * width + c]!), true)
    },
    unpack: (bytes, at, out, to) => {
      for (let c = 0; c < width; c++)
        out[to * width + c] = fromHalf(bytes.getUint16(2 * (at * width + c), true))
    },
  }
}

/** Largest number of an int8 row; -128 is not used, so that signs are alike. */
const LARGEST = 127
/** Exponents of rows: at the lowest, every whole number times the power is a float32. */
const LEAST_EXPONENT = -126
/** Stands for an exponent in a row with a value that is not finite: it unpacks to NaN, for the gate to see. */
const NOT_FINITE = -128

/** One exponent for each group, then the numbers. */
function int8Rows(width: number, widths: readonly number[]): RowPacking {
  const stride = widths.length + width
  return {
    stride,
    pack: (values, at, out, to) => {
      let from = at * width
      let number = to * stride + widths.length
      for (const [group, columns] of widths.entries()) {
        const exponent = exponentOf(values, from, columns)
        out.setInt8(to * stride + group, exponent)
        const unit = 2 ** exponent
        for (let c = 0; c < columns; c++) out.setInt8(number++, Math.round(values[from++]! / unit))
      }
    },
    unpack: (bytes, at, out, to) => {
      let column = to * width
      let number = at * stride + widths.length
      for (const [group, columns] of widths.entries()) {
        const exponent = bytes.getInt8(at * stride + group)
        const unit = exponent === NOT_FINITE ? Number.NaN : 2 ** exponent
        for (let c = 0; c < columns; c++) out[column++] = bytes.getInt8(number++) * unit
      }
    },
  }
}

/** The smallest exponent by which all values are within the largest number; that of zeros is the least. */
function exponentOf(values: Float32Array, from: number, columns: number): number {
  let most = 0
  for (let c = from; c < from + columns; c++) {
    const size = Math.abs(values[c]!)
    if (!(size < Number.POSITIVE_INFINITY)) return NOT_FINITE
    if (size > most) most = size
  }
  let exponent = Math.max(LEAST_EXPONENT, Math.ceil(Math.log2(most / LARGEST)))
  // The logarithm is rounded: near a power of two it may be one off.
  while (most > LARGEST * 2 ** exponent) exponent++
  while (exponent > LEAST_EXPONENT && most <= LARGEST * 2 ** (exponent - 1)) exponent--
  return exponent
}

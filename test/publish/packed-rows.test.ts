/** @file Rows in types: what rounding may cost, that it happens once, that bytes and pieces give the same, and that damage is noticed. */

import { describe, expect, test } from 'vitest'
import { ByteReader, ByteWriter } from '../../src/bytes.ts'
import { PackedRows } from '../../src/publish/packed-rows.ts'
import { VALUE_TYPES, type ValueType } from '../../src/publish/value-type.ts'
import { randomFrom } from '../../src/random.ts'

const WIDTHS = [5, 2]
const WIDTH = 7

/** Rows of all sizes, with a row of zeros among them. */
function randomRows(count: number, seed: number) {
  const random = randomFrom(seed)
  const values = Float32Array.from({ length: count * WIDTH }, (_, i) =>
    i < WIDTH ? 0 : random.normal() * 10 ** (random.integer(9) - 4),
  )
  return { keys: Uint32Array.from({ length: 2 * count }, () => random.integer(2 ** 32)), values }
}

function written(rows: PackedRows): Uint8Array {
  const writer = new ByteWriter().u8(0) // so that nothing is aligned
  rows.write(writer)
  return writer.finish().subarray(1)
}

const read = (bytes: Uint8Array, layout: 1 | 2): PackedRows =>
  PackedRows.read(new ByteReader(bytes), layout, WIDTH)

test('float32 is exact and is the layout that every reader knows', () => {
  const rows = randomRows(20, 1)
  const packed = PackedRows.pack(rows, new Array<ValueType>(20).fill('float32'), WIDTHS)
  expect([packed.layout, packed.count]).toEqual([1, 20])
  expect({ keys: packed.keys, values: packed.values }).toEqual(rows)
  expect(written(packed)).toEqual(new ByteWriter().array(rows.keys).array(rows.values).finish())
})

test('a group of int8 moves by at most a 127th of its largest value, a float16 by 2^-11 of itself', () => {
  const rows = randomRows(300, 2)
  const packed = (type: ValueType) =>
    PackedRows.pack(rows, new Array<ValueType>(300).fill(type), WIDTHS).values
  const [bytes, halves] = [packed('int8'), packed('float16')]
  for (let row = 0; row < 300; row++) {
    for (const [from, to] of [
      [0, 5],
      [5, 7],
    ] as const) {
      const group = rows.values.subarray(row * WIDTH + from, row * WIDTH + to)
      const largest = Math.max(...group.map(Math.abs))
      group.forEach((value, c) => {
        const at = row * WIDTH + from + c
        expect(Math.abs(bytes[at]! - value)).toBeLessThanOrEqual(largest / 127)
        expect(Math.abs(halves[at]! - value)).toBeLessThanOrEqual(
          Math.max(Math.abs(value) * 2 ** -11, 2 ** -25),
        )
      })
    }
  }
  expect([...bytes.subarray(0, WIDTH)]).toEqual(new Array(WIDTH).fill(0))
})

describe.each(VALUE_TYPES)('%s', (type) => {
  const types = new Array<ValueType>(200).fill(type)
  const packed = PackedRows.pack(randomRows(200, 3), types, WIDTHS)

  test('rounds once: what was unpacked packs to the same bytes', () => {
    const again = PackedRows.pack(packed, types, WIDTHS)
    expect(written(again)).toEqual(written(packed))
    expect(again.values).toEqual(packed.values)
  })

  test('rounds once at the ends of the float32 range too', () => {
    const ends = [1.6e38, 1.401298464324817e-45, -1e38, 1e-40, 0, 2 ** -126, 1]
    const rows = { keys: new Uint32Array(2), values: Float32Array.from(ends) }
    const { values } = PackedRows.pack(rows, [type], WIDTHS)
    expect(written(PackedRows.pack({ ...rows, values }, [type], WIDTHS))).toEqual(
      written(PackedRows.pack(rows, [type], WIDTHS)),
    )
  })

  test('shows the gate a value that is not finite', () => {
    for (const sick of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const { keys, values } = randomRows(2, 4)
      values[WIDTH + 3] = sick
      const { values: out } = PackedRows.pack({ keys, values }, [type, type], WIDTHS)
      expect(out.every(Number.isFinite)).toBe(false)
    }
  })
})

test('rows of several types stand by type, each with its key; bytes and pieces give the same', () => {
  const rows = randomRows(50, 6)
  const types = Array.from({ length: 50 }, (_, i) => VALUE_TYPES[(i * 7) % 3]!)
  const packed = PackedRows.pack(rows, types, WIDTHS)
  expect(packed.layout).toBe(2)
  const order = VALUE_TYPES.flatMap((type) => [...types.keys()].filter((i) => types[i] === type))
  expect([...packed.keys]).toEqual(order.flatMap((i) => [...rows.keys.subarray(2 * i, 2 * i + 2)]))
  for (const [place, i] of order.entries()) {
    const alone = PackedRows.pack(
      {
        keys: rows.keys.subarray(2 * i, 2 * i + 2),
        values: rows.values.subarray(i * WIDTH, (i + 1) * WIDTH),
      },
      [types[i]!],
      WIDTHS,
    )
    expect(packed.values.subarray(place * WIDTH, (place + 1) * WIDTH)).toEqual(alone.values)
  }
  const back = read(written(packed), 2)
  expect([back.keys, back.values, back.count]).toEqual([packed.keys, packed.values, 50])
  expect(written(back)).toEqual(written(packed))
  const pieces = [...back.pieces(7)]
  expect(pieces.every(({ keys }) => keys.length <= 14)).toBe(true)
  expect(pieces.flatMap(({ keys }) => [...keys])).toEqual([...packed.keys])
  expect(pieces.flatMap(({ values }) => [...values])).toEqual([...packed.values])
})

test('bytes that do not fit together are CORRUPT', () => {
  const packed = PackedRows.pack(randomRows(4, 7), new Array<ValueType>(4).fill('int8'), WIDTHS)
  const bytes = written(packed)
  const corrupt = (change: (bytes: Buffer) => Uint8Array) => {
    expect(() => read(change(Buffer.from(bytes)), 2)).toThrow(
      expect.objectContaining({ code: 'CORRUPT' }),
    )
  }
  for (let length = 0; length < bytes.length; length++) corrupt((all) => all.subarray(0, length))
  corrupt((all) => {
    all.write('int9', all.indexOf('int8'))
    return all
  })
  corrupt((all) => {
    all.writeUInt32LE(6, 4) // another width of a group
    return all
  })
})

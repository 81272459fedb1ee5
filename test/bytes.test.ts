/** @file The writer grows under every kind of write, and the reader gives back what was written. */

import { expect, test } from 'vitest'
import { ByteReader, ByteWriter } from '../src/bytes.ts'

const writes: Readonly<Record<string, (writer: ByteWriter) => void>> = {
  u8: (writer) => writer.u8(7),
  u32: (writer) => writer.u32(0xfffffffe),
  f64: (writer) => writer.f64(Number.NEGATIVE_INFINITY),
  bytes: (writer) => writer.bytes(Uint8Array.of(1, 2, 3)),
  text: (writer) => writer.text('naïve'),
  array: (writer) => writer.array(Float32Array.of(0.5, -1)),
}

const reads: Readonly<Record<string, readonly [(reader: ByteReader) => unknown, unknown]>> = {
  u8: [(reader) => reader.u8(), 7],
  u32: [(reader) => reader.u32(), 0xfffffffe],
  f64: [(reader) => reader.f64(), Number.NEGATIVE_INFINITY],
  bytes: [(reader) => Uint8Array.from(reader.bytes()), Uint8Array.of(1, 2, 3)],
  text: [(reader) => reader.text(), 'naïve'],
  array: [(reader) => reader.float32(), Float32Array.of(0.5, -1)],
}

test.each(Object.keys(writes))('a writer that has to grow for %s loses nothing', (kind) => {
  const writer = new ByteWriter(1)
  for (let i = 0; i < 100; i++) writes[kind]?.(writer)
  const reader = new ByteReader(Uint8Array.from(writer.finish()))
  const [read, expected] = reads[kind] ?? []
  for (let i = 0; i < 100; i++) expect(read?.(reader)).toEqual(expected)
  expect(reader.remaining).toBe(0)
})

test('reading past the end is a CORRUPT error', () => {
  expect(() => new ByteReader(Uint8Array.of(1, 2)).u32()).toThrow(
    expect.objectContaining({ code: 'CORRUPT' }),
  )
})

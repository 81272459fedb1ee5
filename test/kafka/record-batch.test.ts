/** @file Bytes of Kafka -> records, without a broker: batches as kafkajs encodes them, cut, damaged, aborted. */

import fc from 'fast-check'
import Decoder from 'kafkajs/src/protocol/decoder.js'
import Record from 'kafkajs/src/protocol/recordBatch/record/v0/index.js'
import decodeWithKafkajs from 'kafkajs/src/protocol/recordBatch/v0/decoder.js'
import { RecordBatch } from 'kafkajs/src/protocol/recordBatch/v0/index.js'
import { describe, expect, test } from 'vitest'
import { crc32c } from '../../src/broker/crc32c.ts'
import { decompress } from '../../src/broker/kafka-log/codecs.ts'
import { decodeRecords } from '../../src/broker/kafka-log/record-batch.ts'
import { encodeBatch, encodeRecords } from '../../src/broker/kafka-log/record-batch-writer.ts'
import { VarintReader } from '../../src/broker/kafka-log/varint-reader.ts'
import { VarintWriter, varintLength } from '../../src/broker/kafka-log/varint-writer.ts'
import { COMPRESSIONS } from '../../src/broker/options.ts'
import { plain, record } from '../contracts/topic-log-probe.ts'

const SEED = 4_251

interface BatchOptions {
  readonly transactional?: boolean
  readonly control?: boolean
  readonly producerId?: number
}

/** One batch at `offset` whose values are the given texts. */
async function batchAt(
  offset: number,
  values: readonly string[],
  { transactional = false, control = false, producerId = 7 }: BatchOptions = {},
): Promise<Buffer> {
  const { buffer } = await RecordBatch({
    firstTimestamp: 1_000,
    maxTimestamp: 1_000,
    lastOffsetDelta: values.length - 1,
    transactional,
    producerId,
    records: values.map((value, i) =>
      Record({
        offsetDelta: i,
        timestampDelta: i,
        key: Buffer.from('k'),
        value: Buffer.from(value),
      }),
    ),
  })
  const bytes = Buffer.from(buffer)
  bytes.writeBigInt64BE(BigInt(offset), 0)
  if (control) {
    bytes.writeInt16BE(bytes.readInt16BE(21) | 0x20, 21)
    bytes.writeUInt32BE(crc32c(bytes, 21), 17)
  }
  return bytes
}

const valuesOf = (records: readonly { readonly value: Uint8Array }[]) =>
  records.map(({ value }) => Buffer.from(value).toString())

describe('decodeRecords', () => {
  test('gives offsets, keys, values and times of consecutive batches', async () => {
    const bytes = Buffer.concat([await batchAt(10, ['a', 'b']), await batchAt(12, ['c'])])
    const { records, nextOffset } = await decodeRecords(bytes, 10)
    expect(plain([{ topic: 't', partition: 0, records, nextOffset }])).toEqual([
      {
        topic: 't',
        partition: 0,
        nextOffset: 13,
        records: [
          [10, 'k', 'a', 1_000],
          [11, 'k', 'b', 1_001],
          [12, 'k', 'c', 1_000],
        ],
      },
    ])
  })

  test('leaves out what comes before the position, which may be inside a batch', async () => {
    const bytes = Buffer.concat([await batchAt(0, ['a', 'b']), await batchAt(2, ['c'])])
    const { records, nextOffset } = await decodeRecords(bytes, 1)
    expect([valuesOf(records), nextOffset]).toEqual([['b', 'c'], 3])
  })

  test('stops before a batch that the size of the fetch cut off, wherever it was cut', async () => {
    const first = await batchAt(0, ['a', 'b'])
    const bytes = Buffer.concat([first, await batchAt(2, ['c'])])
    for (let length = first.length; length < bytes.length; length++) {
      const { records, nextOffset } = await decodeRecords(bytes.subarray(0, length), 0)
      expect([valuesOf(records), nextOffset]).toEqual([['a', 'b'], 2])
    }
  })

  test('notices any changed byte that the checksum covers', async () => {
    const bytes = await batchAt(0, ['some value', 'another'])
    for (let at = 17; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes)
      damaged.writeUInt8(damaged.readUInt8(at) ^ 0x40, at)
      await expect(decodeRecords(damaged, 0), `byte ${at}`).rejects.toMatchObject({
        code: 'CORRUPT',
      })
    }
  })

  test('refuses an older message format by name', async () => {
    const bytes = await batchAt(0, ['a'])
    bytes.writeInt8(1, 16)
    await expect(decodeRecords(bytes, 0)).rejects.toMatchObject({
      code: 'BROKER',
      message: expect.stringContaining('message format 1'),
    })
  })

  test('hides markers and aborted transactions, and goes past them', async () => {
    const bytes = Buffer.concat([
      await batchAt(0, ['aborted'], { transactional: true, producerId: 1 }),
      await batchAt(1, ['kept'], { transactional: true, producerId: 2 }),
      await batchAt(2, ['marker'], { transactional: true, control: true, producerId: 1 }),
      await batchAt(3, ['after the abort'], { transactional: true, producerId: 1 }),
      await batchAt(4, ['marker'], { transactional: true, control: true, producerId: 2 }),
    ])
    const { records, nextOffset } = await decodeRecords(bytes, 0, [
      { producerId: 1n, firstOffset: 0 },
    ])
    expect([valuesOf(records), nextOffset]).toEqual([['kept', 'after the abort'], 5])
  })
})

const IDENTITY = { producerId: 9n, producerEpoch: 3, sequence: 12 }

/** Any records that an append takes. */
const anyRecords = fc.array(
  fc.record({
    key: fc.uint8Array({ maxLength: 200 }),
    value: fc.uint8Array({ maxLength: 20_000 }),
    timestampMs: fc.oneof(
      fc.nat({ max: 2 ** 48 }),
      fc.constantFrom(0, -1, -1.5, 0.25, 1.7e12 + 0.5, 2 ** 48),
    ),
  }),
  { minLength: 1, maxLength: 20 },
)

describe('encodeBatch', () => {
  test('writes what decodeRecords reads, whatever the codec, key, value and time', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, fc.constantFrom(...COMPRESSIONS), async (records, codec) => {
        const batch = await encodeBatch(encodeRecords(records), IDENTITY, codec)
        const decoded = await decodeRecords(batch, 0)
        expect(decoded.nextOffset).toBe(records.length)
        expect(decoded.records.map(({ offset }) => offset)).toEqual([...records.keys()])
        for (const [i, { key, value, timestampMs }] of decoded.records.entries()) {
          const sent = records[i]
          expect(Buffer.compare(key, sent?.key ?? key.subarray(1))).toBe(0)
          expect(Buffer.compare(value, sent?.value ?? value.subarray(1))).toBe(0)
          expect(timestampMs).toBe(sent?.timestampMs)
        }
      }),
      { seed: SEED, numRuns: 200 },
    )
  })

  test('is read by another decoder with the identity that it was given', async () => {
    const records = ['a', 'b'].map((value, i) => record('k', value, 5_000 - i * 3_000))
    const batch = await encodeBatch(encodeRecords(records), IDENTITY, 'none')
    const read = await decodeWithKafkajs(new Decoder(batch))
    expect(read).toMatchObject({
      producerId: '9',
      producerEpoch: 3,
      firstSequence: 12,
      firstTimestamp: '5000',
      maxTimestamp: '5000',
      lastOffsetDelta: 1,
      inTransaction: false,
      isControlBatch: false,
    })
    expect(
      read.records.map((one) => [one.timestamp, one.key.toString(), one.value.toString()]),
    ).toEqual([
      ['5000', 'k', 'a'],
      ['2000', 'k', 'b'],
    ])
  })
})

test('an integer that does not end is corrupt, never garbage', () => {
  expect(() => new VarintReader(Buffer.alloc(20, 0xff)).varint()).toThrow('has no end')
  expect(() => new VarintReader(Buffer.from([0x80])).varint()).toThrow('has no end')
  expect(() => new VarintReader(Buffer.from([8, 1])).view()).toThrow('there are less')
})

test('zigzag integers are read and written as Protocol Buffers defines them', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const bytes: number[] = []
      let rest = value >= 0 ? BigInt(value) * 2n : BigInt(-value) * 2n - 1n
      for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
      bytes.push(Number(rest))
      expect(new VarintReader(Buffer.from(bytes)).varlong()).toBe(value)
      const writer = new VarintWriter(1)
      writer.varint(value)
      expect([...writer.finish()]).toEqual(bytes)
      if (value >= 0) expect(varintLength(value)).toBe(bytes.length)
    }),
    { seed: SEED, examples: [[0], [-1], [63], [-64], [64], [Number.MAX_SAFE_INTEGER]] },
  )
})

test('a codec that nobody knows is named, with those that are known', async () => {
  await expect(decompress(5, Buffer.alloc(4))).rejects.toMatchObject({
    code: 'BROKER',
    message: expect.stringContaining('codec 5'),
    remedy: expect.stringContaining('zstd'),
  })
})

/** A zstd frame of `blocks` blocks of 128 KiB of one byte, which does not say how large it is (RFC 8878). */
function zstdFrame(blocks: number): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58])
  const body = Array.from({ length: blocks }, (_, i) => {
    const runLength = 1
    const last = i === blocks - 1 ? 1 : 0
    const block = Buffer.alloc(4, 'z')
    block.writeUIntLE((131_072 << 3) | (runLength << 1) | last, 0, 3)
    return block
  })
  return Buffer.concat([header, ...body])
}

test('a zstd frame of unknown size is opened, a bomb is refused', async () => {
  const opened = await decompress(4, zstdFrame(100))
  expect([opened.length, opened.equals(Buffer.alloc(opened.length, 'z'))]).toEqual([
    13_107_200,
    true,
  ])
  await expect(decompress(4, zstdFrame(3_000))).rejects.toMatchObject({ code: 'CORRUPT' })
})

test.each([1, 2, 3, 4])('bytes that codec %d did not write are corrupt', async (codec) => {
  await expect(decompress(codec, Buffer.from('not compressed at all'))).rejects.toMatchObject({
    code: 'CORRUPT',
  })
})

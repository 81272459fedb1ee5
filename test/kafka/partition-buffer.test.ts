/** @file Batches are a function of the log: however fetches were cut, and whatever was read before. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PartitionBuffer } from '../../src/broker/kafka-log/partition-buffer.ts'
import type { LogRecord } from '../../src/broker/topic-log.ts'

const SEED = 77_003

/** A log whose records are at the given offsets; what is between them holds no record. */
function logOf(gaps: readonly number[]): { records: LogRecord[]; end: number } {
  const records: LogRecord[] = []
  let end = 0
  for (const gap of gaps) {
    end += gap
    records.push({ offset: end, key: Buffer.alloc(0), value: Buffer.from([end]), timestampMs: end })
    end += 1
  }
  return { records, end: end + (gaps.length % 3) }
}

/** What a broker gives for a fetch: some offsets from there on, those without a record included. */
function fetchFrom(log: ReturnType<typeof logOf>, from: number, offsets: number) {
  const nextOffset = Math.min(log.end, from + offsets)
  const records = log.records.filter(({ offset }) => offset >= from && offset < nextOffset)
  return { records, nextOffset }
}

test('a batch has the next records, and the place of the record after them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 40 }),
      fc.array(fc.record({ at: fc.nat(), max: fc.integer({ min: 1, max: 12 }) }), {
        maxLength: 12,
      }),
      fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
      (gaps, reads, sizes) => {
        const log = logOf(gaps)
        const buffer = new PartitionBuffer()
        for (const { at, max } of reads) {
          const from = at % (log.end + 1)
          buffer.seek(from)
          while (!buffer.isComplete(max)) {
            const size = sizes.next().value ?? 1
            buffer.add(fetchFrom(log, buffer.nextOffset, size), log.end)
          }
          const rest = log.records.filter(({ offset }) => offset >= from)
          const expected = rest.slice(0, max)
          expect(buffer.take(max)).toEqual(
            expected.length === 0
              ? undefined
              : { records: expected, nextOffset: rest[max]?.offset ?? log.end },
          )
        }
      },
    ),
    { seed: SEED, numRuns: 500 },
  )
})

test('runs low only while the log is known to have more', () => {
  const log = logOf([0, 0, 0, 0, 0, 0])
  const buffer = new PartitionBuffer()
  buffer.seek(0)
  expect(buffer.runsLow(2)).toBe(false)
  buffer.add(fetchFrom(log, 0, 3), log.end)
  expect([buffer.runsLow(1), buffer.runsLow(2)]).toEqual([false, true])
  buffer.add(fetchFrom(log, 3, 9), log.end)
  expect(buffer.runsLow(6)).toBe(false)
})

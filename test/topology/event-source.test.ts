/** @file Epochs: what is read, what is held back, what is decided, and that a replay repeats it. */

import { describe, expect, test } from 'vitest'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import { EventSource, type EventTimes } from '../../topology/event-source.ts'

const INPUTS = [
  { topic: 'impressions', partition: 0 },
  { topic: 'shares', partition: 0 },
]

/** A log in which the record of offset n has time n; a clock and joiner set by hand. */
async function bench({ impressions = 0, shares = 0, alignMs = 1_000, maxBuffered = 1_000 } = {}) {
  const log = new MemoryLog()
  const clock = { time: 0, now: () => clock.time }
  for (const { topic } of INPUTS) await log.createTopic({ topic, partitions: 1, cleanup: 'delete' })
  const append = (topic: string, count: number) =>
    log.append(
      topic,
      Array.from({ length: count }, () => ({
        key: new Uint8Array(1),
        value: new Uint8Array(1),
        timestampMs: 0,
      })),
    )
  await append('impressions', impressions)
  await append('shares', shares)
  const source = new EventSource({
    log,
    inputs: INPUTS,
    clock,
    idleMs: 100,
    maxRecords: 10,
    alignMs,
    maxBuffered,
  })
  const newest = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const times = { buffered: 0, maxTime: (input: number) => newest[input] ?? 0 }
  /** Polls and pretends that the joiner took everything. */
  const turn = async (view: EventTimes = times) => {
    const poll = await source.poll(view)
    for (const { input, to } of poll.epoch.reads) newest[input] = to - 1
    source.applied(poll.epoch)
    return poll.epoch
  }
  return { source, clock, append, times, turn }
}

describe('an event source', () => {
  test('reads every input from its position, at most so many records', async () => {
    const { turn } = await bench({ impressions: 25, shares: 3 })
    expect((await turn()).reads).toEqual([
      { input: 0, from: 0, to: 10 },
      { input: 1, from: 0, to: 3 },
    ])
    expect((await turn()).reads).toEqual([{ input: 0, from: 10, to: 20 }])
  })

  test('waits with an input that is far ahead of the others in event time', async () => {
    const { turn } = await bench({ impressions: 100, shares: 100, alignMs: 5 })
    const reads: number[][] = []
    const skewed = { buffered: 0, maxTime: (input: number) => (input === 0 ? 50 : 7) }
    reads.push((await turn(skewed)).reads.map(({ input }) => input))
    expect(reads).toEqual([[1]])
  })

  test('calls an input idle when it was silent for so long on the wall clock, and not before', async () => {
    const { turn, clock, append } = await bench({ impressions: 5 })
    expect((await turn()).idle).toEqual([])
    clock.time = 99
    expect((await turn()).idle).toEqual([])
    clock.time = 100
    expect((await turn()).idle).toEqual([0, 1])
    await append('shares', 1)
    expect((await turn()).idle).toEqual([0])
  })

  test('does not call an input idle that has records left but was not read', async () => {
    const { turn, clock } = await bench({ impressions: 100, shares: 100, alignMs: 5 })
    const skewed = { buffered: 0, maxTime: (input: number) => (input === 0 ? 50 : 7) }
    clock.time = 500
    expect((await turn(skewed)).idle).toEqual([])
  })

  test('reads only what holds the watermark back once too much waits for it', async () => {
    const { turn, append } = await bench({ impressions: 100, maxBuffered: 20 })
    const full = { buffered: 20, maxTime: (input: number) => (input === 0 ? 9 : 0) }
    expect((await turn(full)).reads).toEqual([])
    await append('shares', 1)
    expect((await turn(full)).reads).toEqual([{ input: 1, from: 0, to: 1 }])
  })

  test('ends where the log ended when it was told so, whatever is appended later', async () => {
    const { source, turn, append } = await bench({ impressions: 12, shares: 1 })
    await source.endHere()
    await append('impressions', 50)
    expect(await turn()).toMatchObject({ finished: [1], end: false })
    expect(await turn()).toMatchObject({
      reads: [{ input: 0, from: 10, to: 12 }],
      finished: [0, 1],
      end: true,
    })
  })

  test('replays an epoch from the ranges that it names', async () => {
    const { source, times } = await bench({ impressions: 30 })
    const { epoch, batches } = await source.poll(times)
    const again = await source.replay(epoch)
    expect(again.batches.flatMap(({ records }) => records.map(({ offset }) => offset))).toEqual(
      batches.flatMap(({ records }) => records.map(({ offset }) => offset)),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Decoded, Event } from '../../src/events/event.ts'
import { EventJoiner } from '../../src/join/event-joiner.ts'
import type { JoinOutputs } from '../../src/join/join-outputs.ts'
import { changed } from '../../src/samples/sample.ts'
import { codeOf, cuts, stageContract } from '../contracts/stage.contract.ts'
import { batchJoin } from '../oracle/batch-join.ts'
import { type History, history, interleaved, kindOf, merged } from './drawn-history.ts'
import { expectSame } from './join-expectations.ts'

const pollSizes = fc.array(fc.nat(30), { maxLength: 12 })

describe('the event joiner against the batch oracle', () => {
  it('gives exactly the samples, late events, orphans and duplicates of the oracle, in order', () => {
    fc.assert(
      fc.property(history, pollSizes, ({ options, partitions, arrivals }, sizes) => {
        const joiner = new EventJoiner(options)
        const calls = [...cuts(arrivals, sizes)].map((poll) => joiner.push(poll))
        const outputs = merged([...calls, joiner.flush()])
        expectSame(outputs, batchJoin(partitions, options))
      }),
      { numRuns: 400 },
    )
  })

  it('gives the same when partitions are finished one by one as their last record is read', () => {
    fc.assert(
      fc.property(history, ({ options, partitions, arrivals }) => {
        const joiner = new EventJoiner(options)
        const calls: JoinOutputs[] = []
        for (const [input, records] of partitions.entries()) {
          if (records.length === 0) calls.push(joiner.finish(input))
        }
        for (const record of arrivals) {
          calls.push(joiner.push([record]))
          const { input } = record.source
          if (partitions[input]?.at(-1) === record) calls.push(joiner.finish(input))
        }
        expectSame(merged(calls), batchJoin(partitions, options))
      }),
      { numRuns: 100 },
    )
  })

  it('gives the same samples in the same order however partitions interleave', () => {
    fc.assert(
      fc.property(history, fc.array(fc.nat(5)), ({ options, partitions, arrivals }, picks) => {
        const one = new EventJoiner(options)
        const other = new EventJoiner(options)
        const expected = merged([one.push(arrivals), one.flush()])
        const outputs = merged([other.push(interleaved(partitions, picks)), other.flush()])
        const read = (all: JoinOutputs): object[] => all.samples.map((one) => changed(one, {}))
        expect(read(outputs)).toEqual(read(expected))
        expect(outputs.joined).toEqual(expected.joined)
        expect(outputs.orphans).toEqual(expected.orphans)
        expect(other.accounting()).toEqual(one.accounting())
        expect(Buffer.compare(other.snapshot(), one.snapshot())).toBe(0)
      }),
      { numRuns: 100 },
    )
  })
})

describe('the drawn histories', () => {
  it('lead to every output, and to samples while the stream still runs', () => {
    const before = { samples: 0, labelled: 0, afterWindow: 0, orphans: 0 }
    const ever = { erased: 0, outOfOrder: 0, duplicates: 0, deadLetters: 0, joined: 0, twice: 0 }
    for (const { options, arrivals } of fc.sample(history, { numRuns: 400, seed: 7 })) {
      const joiner = new EventJoiner(options)
      const running = joiner.push(arrivals)
      const outputs = merged([running, joiner.flush()])
      before.samples += running.samples.length
      before.labelled += running.samples.filter((sample) => sample.labels.some((l) => l > 0)).length
      before.afterWindow += running.late.filter((late) => late.reason === 'after-window').length
      before.orphans += running.orphans.length
      ever.outOfOrder += outputs.late.filter((late) => late.reason === 'out-of-order').length
      ever.erased += outputs.erased.length
      ever.duplicates += outputs.duplicates.length
      ever.deadLetters += outputs.deadLetters.length
      ever.joined += outputs.joined.length
      ever.twice +=
        outputs.joined.length -
        new Set(outputs.joined.map(({ impression, event }) => `${impression.id}/${event.kind}`))
          .size
    }
    for (const count of [...Object.values(before), ...Object.values(ever)]) {
      expect(count).toBeGreaterThan(100)
    }
  })
})

describe('the accounting of the event joiner', () => {
  it('agrees with the outputs and balances for every kind after every push', () => {
    fc.assert(
      fc.property(history, pollSizes, ({ options, arrivals }, sizes) => {
        const joiner = new EventJoiner(options)
        const calls: JoinOutputs[] = []
        let read: readonly Decoded[] = []
        for (const poll of cuts(arrivals, sizes)) {
          calls.push(joiner.push(poll))
          read = [...read, ...poll]
          expectBalanced(joiner, read, merged(calls))
        }
        calls.push(joiner.flush())
        expectBalanced(joiner, read, merged(calls))
        expect(joiner.accounting().every((kind) => kind.open === 0)).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  it('balances when inputs fall idle and wake at any time', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.record({ input: fc.nat(2), idle: fc.boolean() }) },
    )
    fc.assert(
      fc.property(history, fc.array(step), ({ options, arrivals }, steps) => {
        const joiner = new EventJoiner(options)
        const calls: JoinOutputs[] = []
        const records = [...arrivals]
        for (const change of steps) {
          if (change === undefined) calls.push(joiner.push(records.splice(0, 1)))
          else calls.push(joiner.setIdle(change.input, change.idle))
        }
        calls.push(joiner.push(records))
        expectBalanced(joiner, arrivals, merged(calls))
        expect(codeOf(() => joiner.flush())).toBe('none')
      }),
      { numRuns: 100 },
    )
  })

  it('refuses a record of an input that does not exist or has finished', () => {
    const { options, event } = tinyJob()
    const joiner = new EventJoiner(options)
    expect(codeOf(() => joiner.push([{ ...event, source: { input: 9, offset: 0 } }]))).toBe(
      'BAD_STATE',
    )
    const finished = new EventJoiner(options)
    finished.flush()
    expect(codeOf(() => finished.push([event]))).toBe('BAD_STATE')
  })
})

describe('the settings of the event joiner', () => {
  it('name a kind that no task learns from and a task without events', () => {
    const { options } = tinyJob()
    const { inputs, join } = options
    const follow = { ...inputs[1]!, kind: kindOf('follow', 'impression') }
    expect(() => new EventJoiner({ ...options, inputs: [...inputs, follow] })).toThrow(/follow/)
    const tasks = [...join.tasks, { name: 'share', kind: 'share', windowMs: 5 }]
    expect(() => new EventJoiner({ ...options, join: { ...join, tasks } })).toThrow(/task share/)
    const anchored = [...join.tasks, { name: 'seen', kind: 'impression', windowMs: 5 }]
    expect(() => new EventJoiner({ ...options, join: { ...join, tasks: anchored } })).toThrow(
      /task seen/,
    )
  })
})

stageContract({
  name: 'the event joiner',
  histories: history.map(({ options, arrivals }) => ({
    make: () => new EventJoiner(options),
    inputs: arrivals,
  })),
  feed: (joiner, records) => ({ ...joiner.push(records) }),
  runs: 50,
})

function tinyJob(): { options: History['options']; event: Event } {
  const decode = (raw: Uint8Array, source: Event['source']): Decoded => ({ ...event, raw, source })
  const event: Event = {
    kind: 'impression',
    id: 'i',
    key: 'k',
    time: 1,
    value: 1,
    anchor: true,
    fields: {},
    source: { input: 0, offset: 0 },
    raw: new Uint8Array(),
  }
  const inputs = ['impression', 'click'].map((kind) => ({
    kind: kindOf(kind, 'impression'),
    decode,
  }))
  const tasks = [{ name: 'click', kind: 'click', windowMs: 10 }]
  const join = { tasks, emission: 'wait', retentionMs: 10 } as const
  return {
    options: { inputs, latenessMs: 5, dedupe: { withinMs: 5, maxIds: 10 }, join },
    event,
  }
}

/** Law 5, counted again from the outputs: nothing is lost, and nothing is in two places. */
function expectBalanced(joiner: EventJoiner, read: readonly Decoded[], out: JoinOutputs): void {
  const placed = [
    ...out.sampled,
    ...out.joined.map((joined) => joined.event),
    ...out.erased,
    ...out.late.map((late) => late.event),
    ...out.orphans,
    ...out.duplicates,
    ...out.deadLetters,
  ].map(({ source }) => `${source.input}/${source.offset}`)
  expect(new Set(placed).size).toBe(placed.length)
  let open = 0
  for (const kind of joiner.accounting()) {
    const { joined, erased, duplicates, orphans, late, deadLetters } = kind
    const dead = Object.values(deadLetters).reduce((sum, count) => sum + count, 0)
    const tooLate = Object.values(late).reduce((sum, count) => sum + count, 0)
    expect(kind.in).toBe(joined + erased + duplicates + orphans + tooLate + dead + kind.open)
    open += kind.open
  }
  expect(placed.length + open).toBe(read.length)
  expect(joiner.buffered + joiner.openImpressions).toBe(open)
}

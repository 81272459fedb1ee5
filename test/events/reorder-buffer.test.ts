import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareEvents, type Event } from '../../src/events/event.ts'
import { ReorderBuffer } from '../../src/events/reorder-buffer.ts'
import { END_OF_TIME } from '../../src/time.ts'
import { codeOf, stageContract } from '../contracts/stage.contract.ts'
import { decodePlain, plainEvent } from './plain-events.ts'

/** Few times, kinds and ids, so that every tie of the order occurs. */
const events: fc.Arbitrary<Event[]> = fc
  .array(
    fc.record({
      time: fc.integer({ min: 1, max: 6 }),
      kind: fc.constantFrom('impression', 'click', 'like'),
      id: fc.constantFrom('a', 'b'),
      input: fc.nat(1),
    }),
    { maxLength: 60, size: 'max' },
  )
  .map((drawn) =>
    drawn.map(({ input, ...rest }, offset) => plainEvent({ ...rest, source: { input, offset } })),
  )

function released(buffer: ReorderBuffer, watermark: number): Event[] {
  const out: Event[] = []
  for (let e = buffer.next(watermark); e !== undefined; e = buffer.next(watermark)) out.push(e)
  return out
}

describe('the reorder buffer', () => {
  it('holds an event until the watermark is after it', () => {
    const buffer = new ReorderBuffer(decodePlain)
    const event = plainEvent({ time: 100 })
    buffer.add(event)
    expect(buffer.next(100)).toBeUndefined()
    expect(buffer.next(100.5)).toBe(event)
    expect(buffer.size).toBe(0)
  })

  it('releases an impression before feedback of the same time, then by kind and id', () => {
    const order = [
      plainEvent({ time: 1, kind: 'like', id: 'z' }),
      plainEvent({ time: 2, id: 'z' }),
      plainEvent({ time: 2, kind: 'click', id: 'b' }),
      plainEvent({ time: 2, kind: 'click', id: 'c' }),
      plainEvent({ time: 2, kind: 'like', id: 'a' }),
    ]
    const buffer = new ReorderBuffer(decodePlain)
    for (const event of [...order].reverse()) buffer.add(event)
    expect(released(buffer, END_OF_TIME)).toEqual(order)
  })

  it('releases any events in the order of a sort, in one go or as the watermark rises', () => {
    fc.assert(
      fc.property(events, (given) => {
        const sorted = [...given].sort(compareEvents)
        const buffer = new ReorderBuffer(decodePlain)
        for (const event of given) buffer.add(event)
        const rising = [2, 2, 5, END_OF_TIME].flatMap((watermark) => released(buffer, watermark))
        expect(rising).toEqual(sorted)
      }),
    )
  })

  it('has one snapshot for the same events, whatever order they were added in', () => {
    fc.assert(
      fc.property(events, (given) => {
        const one = new ReorderBuffer(decodePlain)
        const other = new ReorderBuffer(decodePlain)
        for (const event of given) one.add(event)
        for (const event of [...given].reverse()) other.add(event)
        expect(Buffer.compare(other.snapshot(), one.snapshot())).toBe(0)
      }),
    )
  })

  it('refuses a snapshot whose records no longer decode, naming the record', () => {
    const buffer = new ReorderBuffer(decodePlain)
    buffer.add(plainEvent({ source: { input: 2, offset: 9 } }))
    const changed = new ReorderBuffer((raw, source) => ({
      kind: 'malformed',
      reason: 'id',
      detail: 'event_id is missing',
      source,
      raw,
    }))
    expect(codeOf(() => changed.restore(buffer.snapshot()))).toBe('CORRUPT')
    expect(() => changed.restore(buffer.snapshot())).toThrow(/record 9 of input 2.*event_id/)
  })
})

describe('the total order of events', () => {
  it('is one: no two different events are equal, and it is transitive', () => {
    fc.assert(
      fc.property(events, (given) => {
        // One expectation for all pairs: thousands of them would cost more than the comparisons.
        const pairs = given.flatMap((a) => given.map((b) => [a, b] as const))
        const wrong = pairs.filter(
          ([a, b]) =>
            (compareEvents(a, b) === 0) !== (a === b) ||
            Math.sign(compareEvents(a, b)) !== -Math.sign(compareEvents(b, a)),
        )
        expect(wrong).toEqual([])
        const sorted = [...given].sort(compareEvents)
        for (let n = 2; n < sorted.length; n++) {
          expect(compareEvents(sorted[n - 2]!, sorted[n]!)).toBeLessThan(0)
        }
      }),
    )
  })
})

const addOrRelease = events.map((given) =>
  given.map((event, n) => (n % 3 === 2 ? { upTo: event.time } : { event })),
)

stageContract({
  name: 'the reorder buffer',
  histories: addOrRelease.map((inputs) => ({ make: () => new ReorderBuffer(decodePlain), inputs })),
  feed: (buffer, steps) => ({
    released: steps.flatMap((step) => {
      if ('upTo' in step) return released(buffer, step.upTo)
      buffer.add(step.event)
      return []
    }),
  }),
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Decoded } from '../../src/events/event.ts'
import { eventDecoder } from '../../src/events/event-decoder.ts'
import type { EventKind } from '../../src/events/event-kind.ts'

const source = { input: 3, offset: 14 }
const raw = Uint8Array.of(1, 2, 3)

const click: EventKind = {
  kind: 'click',
  topic: 'clicks',
  schema: 'click.avsc',
  writers: [],
  id: 'event_id',
  time: 'at',
  timeUnit: 'ms',
  key: 'impression_id',
  anchor: false,
  label: {},
}

/** What the decoder makes of a record with these fields. */
function decode(fields: Record<string, unknown>, kind: Partial<EventKind> = {}): Decoded {
  return eventDecoder({ ...click, ...kind }, () => ({ kind: 'value', value: fields }))(raw, source)
}

function timeOf(at: unknown, timeUnit: EventKind['timeUnit']): number | string {
  const decoded = decode({ event_id: 'e', at, impression_id: 'i' }, { timeUnit })
  return 'time' in decoded ? decoded.time : `${decoded.reason}: ${decoded.detail}`
}

function keyOf(user: unknown, item: unknown): string {
  const decoded = decode({ event_id: 'e', at: 1, user, item }, { key: ['user', 'item'] })
  return 'key' in decoded ? decoded.key : `${decoded.reason}: ${decoded.detail}`
}

function labelOf(label: EventKind['label'], seconds: unknown): number | string {
  const decoded = decode({ event_id: 'e', at: 1, impression_id: 'i', seconds }, { label })
  return 'value' in decoded ? decoded.value : `${decoded.reason}: ${decoded.detail}`
}

describe('a decoder of events', () => {
  it('names id, key, time and value of a record and keeps its fields, source and bytes', () => {
    const fields = { event_id: 'e7', at: 1_650_000_000_123, impression_id: 42, page: 'home' }
    expect(decode(fields)).toEqual({
      kind: 'click',
      id: 'e7',
      key: '42',
      time: 1_650_000_000_123,
      value: 1,
      anchor: false,
      fields,
      source,
      raw,
    })
  })

  it('passes on why bytes could not be decoded', () => {
    const decodeEvent = eventDecoder(click, () => ({ kind: 'malformed', reason: 'no such schema' }))
    expect(decodeEvent(raw, source)).toEqual({
      kind: 'malformed',
      reason: 'undecodable',
      detail: 'no such schema',
      source,
      raw,
    })
  })

  it('names the field and the value when an id or a key is missing, empty or ill-typed', () => {
    const good = { event_id: 'e', at: 1, impression_id: 'i' }
    for (const id of [undefined, null, '', 1.5, Number.NaN, true, {}, 2 ** 60]) {
      expect(decode({ ...good, event_id: id })).toMatchObject({ kind: 'malformed', reason: 'id' })
      expect(decode({ ...good, impression_id: id })).toMatchObject({ reason: 'key' })
    }
    expect(decode({ ...good, event_id: 1.5 })).toMatchObject({
      detail: 'event_id is number 1.5, expected text or an integer',
    })
    expect(decode({ at: 1 })).toMatchObject({
      detail: 'event_id is missing, expected text or an integer',
    })
  })

  it('takes integers of either kind as their decimal text', () => {
    expect(decode({ event_id: 7n, at: 1n, impression_id: -3 })).toMatchObject({
      id: '7',
      key: '-3',
      time: 1,
    })
  })

  it('reads milliseconds, seconds and ISO texts with a zone', () => {
    expect(timeOf(1_650_000_000_123, 'ms')).toBe(1_650_000_000_123)
    expect(timeOf(1_650_000_000.123, 's')).toBe(1_650_000_000_123)
    expect(timeOf('2022-04-15T05:20:00Z', 'iso')).toBe(1_650_000_000_000)
    expect(timeOf('2022-04-15T07:20:00.25+02:00', 'iso')).toBe(1_650_000_000_250)
  })

  it('refuses times that are not finite, not after 1970 or beyond the year 9999', () => {
    const beyond = Date.UTC(10_000, 0, 1)
    expect(timeOf(beyond - 1, 'ms')).toBe(beyond - 1)
    const absurd = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, beyond, '1650000000000', null]
    for (const at of absurd)
      expect(timeOf(at, 'ms')).toMatch(/^time: at is .*expected milliseconds/)
    expect(timeOf(1_650_000_000_123, 's')).toMatch(
      /^time: at is number 1650000000123, expected sec/,
    )
  })

  it('refuses an ISO text that leaves the zone to the machine, or that is no date', () => {
    for (const at of ['2022-04-15T05:20:00', '2022-04-15', '2022-13-15T05:20:00Z', 'now', 5]) {
      expect(timeOf(at, 'iso')).toMatch(/^time: at is .*ISO 8601/)
    }
  })

  it('makes a key of user and item that no other pair has', () => {
    expect(keyOf('u', 'i')).toBe('u\u0000i')
    expect(keyOf(1, 2)).toBe(keyOf('1', '2'))
    expect(keyOf('u\u0000', 'i')).toMatch(/^key: user is .*without U\+0000/)
    expect(keyOf('u', undefined)).toMatch(/^key: item is missing/)
    fc.assert(
      fc.property(fc.tuple(fc.string(), fc.string(), fc.string(), fc.string()), ([a, b, c, d]) => {
        const [one, other] = [keyOf(a, b), keyOf(c, d)]
        if (one.startsWith('key: ') || other.startsWith('key: ')) return
        expect(one === other).toBe(a === c && b === d)
      }),
    )
  })

  it('takes presence, a field or a reached threshold as the label', () => {
    expect(labelOf({}, undefined)).toBe(1)
    expect(labelOf({ field: 'seconds' }, 2.5)).toBe(2.5)
    expect(labelOf({ field: 'seconds' }, false)).toBe(0)
    expect(labelOf({ field: 'seconds', atLeast: 3 }, 3)).toBe(1)
    expect(labelOf({ field: 'seconds', atLeast: 3 }, 2.999)).toBe(0)
    expect(labelOf({ field: 'seconds', atLeast: 3 }, 4n)).toBe(1)
  })

  it('refuses a label that is missing or no number', () => {
    for (const seconds of [undefined, null, 'three', Number.NaN, 1e300]) {
      expect(labelOf({ field: 'seconds' }, seconds)).toMatch(/^label: seconds is .*a number/)
    }
  })

  it('gives an event or says what is wrong, whatever the fields are', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom('event_id', 'at', 'seconds', 'user', 'item'),
          fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }),
        ),
        (fields) => {
          const decoded = decode(fields, { key: ['user', 'item'], label: { field: 'seconds' } })
          if (decoded.kind === 'malformed') return
          expect(decoded).toMatchObject({ id: expect.any(String), time: expect.any(Number) })
        },
      ),
      { numRuns: 1000 },
    )
  })
})

/** @file The fast way and the slow way to an event give the same event, field for field, for any bytes. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Event, isMalformed } from '../../src/events/event.ts'
import { eventDecoder } from '../../src/events/event-decoder.ts'
import type { EventKind } from '../../src/events/event-kind.ts'
import { eventSkimmer } from '../../src/events/event-skimmer.ts'
import { NameUnits } from '../../src/events/name-units.ts'
import { AvroCodec } from '../../src/wire/avro-codec.ts'
import { loadSchema, parseSchema } from '../../src/wire/avro-schema.ts'

const SEED = 3
const click: EventKind = {
  kind: 'click',
  topic: 'clicks',
  schema: 'click.avsc',
  writers: [],
  id: 'event_id',
  time: 'event_time',
  timeUnit: 'ms',
  key: 'impression_id',
  anchor: false,
  label: {},
}
const codec = new AvroCodec({ schema: loadSchema('schemas/click.avsc') })
const source = { input: 1, offset: 5 }

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', 'a\u0000b', '\ufeffid', 'naïve'),
)
const clicks = fc.record({
  event_id: text,
  impression_id: fc.option(text, { nil: null }),
  user_id: text,
  item_id: text,
  event_time: fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -5, max: 2 ** 45 })),
})

function unitsOf(text: string): number[] {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
}

/** Every property of the interface, read from whatever holds it. */
function plain({ kind, id, key, time, value, anchor, fields, source, raw }: Event): Event {
  return { kind, id, key, time, value, anchor, fields, source, raw }
}

describe.each([
  ['an impression id', 'impression_id'],
  ['user and item', ['user_id', 'item_id'] as const],
])('events keyed by %s', (_name, key) => {
  const kind = { ...click, key }
  const slow = eventDecoder(kind, (bytes) => codec.decode(bytes))
  const skim = eventSkimmer(kind, codec)
  const fast = eventDecoder(kind, (bytes) => codec.decode(bytes), skim)

  test('are the same both ways, and most are skimmed', () => {
    let skimmed = 0
    const change = fc.option(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { nil: undefined })
    fc.assert(
      fc.property(clicks, change, (value, damage) => {
        const raw = Buffer.from(codec.encode(value))
        if (damage !== undefined) raw[damage[0] % raw.length] = damage[1]
        const expected = slow(raw, source)
        const event = fast(raw, source)
        if (isMalformed(expected) || isMalformed(event)) expect(event).toEqual(expected)
        else expect(plain(event)).toEqual(expected)
        // As it lies in a poll: other records before and behind it.
        const poll = Buffer.concat([raw, raw, raw])
        const skimmedEvent = skim?.(poll, raw.length, 2 * raw.length, 1, 5)
        if (skimmedEvent === undefined) return
        skimmed += 1
        expect(plain(skimmedEvent)).toEqual(expected)
        const { id, key } = skimmedEvent
        const units = new NameUnits()
        expect([...units.idOf(skimmedEvent).units.subarray(0, units.length)]).toEqual(unitsOf(id))
        expect([...units.keyOf(skimmedEvent).units.subarray(0, units.length)]).toEqual(unitsOf(key))
      }),
      { seed: SEED, numRuns: 2_000 },
    )
    expect(skimmed).toBeGreaterThan(200)
  })
})

describe('a skimmer', () => {
  test('is not made where a label is read from a field or the time is no number of milliseconds', () => {
    expect(eventSkimmer({ ...click, label: { field: 'user_id' } }, codec)).toBeUndefined()
    expect(eventSkimmer({ ...click, timeUnit: 's' }, codec)).toBeUndefined()
    expect(eventSkimmer({ ...click, time: 'user_id' }, codec)).toBeUndefined()
  })

  test('reads ids that are whole numbers as their decimal text', () => {
    const schema = parseSchema(
      {
        type: 'record',
        name: 'view',
        fields: ['event_id', 'impression_id', 'event_time'].map((name) => ({ name, type: 'long' })),
      },
      'view.avsc',
    )
    const numbers = new AvroCodec({ schema })
    const raw = numbers.encode({ event_id: -12, impression_id: 2 ** 40, event_time: 9 })
    const event = eventSkimmer(click, numbers)?.(raw, 0, raw.length, 1, 5)
    expect(event).toMatchObject({ id: '-12', key: '1099511627776', time: 9 })
  })
})

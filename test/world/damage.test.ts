import { expect, test } from 'vitest'
import { DAMAGES } from '../../src/delivery.ts'
import { isMalformed } from '../../src/events/event.ts'
import { eventDecoder } from '../../src/events/event-decoder.ts'
import { AvroCodec } from '../../src/wire/avro-codec.ts'
import { loadSchema } from '../../src/wire/avro-schema.ts'
import type { Framing } from '../../src/wire/framing.ts'
import { damageBytes, damageValue } from '../../src/world/damage.ts'
import { World } from '../../src/world/world.ts'
import { worldOptions } from '../../src/world/world-options.ts'

const source = { input: 0, offset: 0 }
const events = new World(worldOptions.parse({})).pull(400)

function decoderOf(kind: string, framing: Framing) {
  const codec = new AvroCodec({ schema: loadSchema(`schemas/${kind}.avsc`), framing, schemaId: 7 })
  const decode = eventDecoder(
    {
      kind,
      topic: kind,
      schema: '',
      id: 'event_id',
      time: 'event_time',
      timeUnit: 'ms',
      writers: [],
      key: 'impression_id',
      anchor: kind === 'impression',
      label: {},
    },
    (bytes) => codec.decode(bytes),
  )
  return { codec, decode }
}

for (const framing of ['single-object', 'confluent'] as const) {
  for (const kind of ['impression', 'click']) {
    test(`no damage of a ${kind} in ${framing} framing is read as an event`, () => {
      const { codec, decode } = decoderOf(kind, framing)
      const sound = events.filter((delivery) => delivery.kind === kind && !delivery.damage)
      expect(sound.length).toBeGreaterThan(20)
      for (const { key, value, timestampMs } of sound) {
        expect(isMalformed(decode(codec.encode(value), source))).toBe(false)
        DAMAGES.forEach((how, index) => {
          const damage = { how, seed: (timestampMs % 1000) + index }
          const event = { kind: 'click' as const, key, value, timeMs: Number(value.event_time) }
          const bytes = damageBytes(codec.encode(damageValue(event, damage)), damage)
          expect(isMalformed(decode(bytes, source)), how).toBe(true)
        })
      }
    })
  }
}

test('the same damage does the same and leaves the input as it was', () => {
  const framed = Buffer.from(Array.from({ length: 60 }, (_, i) => i))
  const before = Uint8Array.from(framed)
  for (const how of DAMAGES) {
    const [first, second] = [1, 2].map(() => damageBytes(framed, { how, seed: 5 }))
    expect(first).toEqual(second)
    if (first !== undefined && first.length > 0 && first.buffer !== framed.buffer) first[0] = 99
    expect(Uint8Array.from(framed)).toEqual(before)
  }
})

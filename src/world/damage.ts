/** @file Hurts events the way careless producers and bad transports do, for the dead-letter path. */

import type { Damage } from '../delivery.ts'
import { randomFrom } from '../random.ts'
import type { WorldEvent } from './world-event.ts'

/** Two bytes inside the schema's id, in single-object encoding (bytes 2 to 9) and in the Confluent framing (1 to 4). */
const SCHEMA_ID_FROM = 2
const SCHEMA_ID_TO = 4

/** The event's value with the fault of those damages that are in the value; as it is for the others. */
export function damageValue(event: WorldEvent, { how }: Damage): WorldEvent['value'] {
  switch (how) {
    case 'no-id':
      return { ...event.value, event_id: '' }
    case 'no-time':
      return { ...event.value, event_time: 0 }
    case 'time-in-microseconds':
      return { ...event.value, event_time: event.timeMs * 1000 }
    case 'empty':
    case 'garbage':
    case 'truncated':
    case 'unknown-schema':
      return event.value
  }
}

/** Framed bytes as they arrive: a damaged copy, or the same bytes where the value itself is at fault. */
export function damageBytes(framed: Uint8Array, { how, seed }: Damage): Uint8Array {
  switch (how) {
    case 'no-id':
    case 'no-time':
    case 'time-in-microseconds':
      return framed
    case 'empty':
      return new Uint8Array(0)
    case 'garbage': {
      // 0x7b is '{', as of a producer that writes JSON: the first byte of no framing.
      const random = randomFrom(seed)
      const garbage = Uint8Array.from({ length: 1 + random.integer(64) }, () => random.integer(256))
      garbage[0] = 0x7b
      return garbage
    }
    case 'truncated': {
      const kept = 0.1 + 0.8 * randomFrom(seed).uniform()
      // Not slice(): on a Buffer that would be a view of the caller's bytes.
      return new Uint8Array(framed.subarray(0, Math.floor(framed.length * kept)))
    }
    case 'unknown-schema':
      return framed.map((byte, at) =>
        at >= SCHEMA_ID_FROM && at < SCHEMA_ID_TO ? byte ^ 0xa5 : byte,
      )
  }
}

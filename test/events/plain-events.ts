/** @file Events written out by hand, and a decoder that gives them back: for tests of stages below decoding. */

import type { DecodeEvent, Event } from '../../src/events/event.ts'

/** An event with everything filled in that a test does not care about; its raw bytes are the event itself as JSON. */
export function plainEvent(given: Partial<Event> = {}): Event {
  const event = {
    kind: 'impression',
    id: 'e1',
    key: 'k1',
    time: 100,
    value: 1,
    anchor: given.kind === undefined || given.kind === 'impression',
    fields: {},
    ...given,
  }
  const { source = { input: 0, offset: 0 } } = given
  return { ...event, source, raw: new TextEncoder().encode(JSON.stringify(event)) }
}

export const decodePlain: DecodeEvent = (raw, source) => ({
  ...JSON.parse(new TextDecoder().decode(raw)),
  source,
  raw,
})

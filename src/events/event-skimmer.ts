/**
 * @file The fast way from bytes to an event: id, key and time are read in place, the other fields when somebody asks for them.
 * Most events never are: feedback only labels, and what an impression shows is needed once, when its sample is encoded.
 */

import { MillraceError } from '../errors.ts'
import type { EventTime } from '../time.ts'
import type { AvroCodec } from '../wire/avro-codec.ts'
import { type FoundType, longAt, textLength, textStart } from '../wire/field-finder.ts'
import type { Event, EventSource } from './event.ts'
import { type SkimEvent, TIME_LIMIT } from './event-decoder.ts'
import type { EventKind } from './event-kind.ts'

const NAME_TYPES: readonly FoundType[] = ['text', 'long']
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * A skimmer of one kind of event as `codec` writes it; undefined where only the decoder will do: a label from a field, a
 * time that is no number of milliseconds, a schema that is not known by its bytes.
 */
export function eventSkimmer(kind: EventKind, codec: AvroCodec): SkimEvent | undefined {
  const { id, time, key, timeUnit, label } = kind
  if (timeUnit !== 'ms' || label.field !== undefined) return undefined
  const keys = typeof key === 'string' ? [key] : key
  const finder = codec.finder([
    { name: id, types: NAME_TYPES },
    { name: time, types: ['long'] },
    ...keys.map((name) => ({ name, types: NAME_TYPES })),
  ])
  if (finder === undefined) return undefined
  const places = new Int32Array(2 + keys.length)
  const types = finder.types
  const pair = keys.length === 2
  return (raw, source) => {
    if (!finder.find(raw, places)) return undefined
    const at = longAt(raw, places[1]!)
    const name = nameAt(raw, places[0]!, types[0])
    const first = nameAt(raw, places[2]!, types[2])
    if (!(at > 0 && at < TIME_LIMIT) || name === '' || first === '') return undefined
    if (!pair) return new SkimmedEvent(kind, name, first, at, source, raw, codec)
    const second = nameAt(raw, places[3]!, types[3])
    if (second === '' || first.includes('\u0000')) return undefined
    return new SkimmedEvent(kind, name, `${first}\u0000${second}`, at, source, raw, codec)
  }
}

/** An event whose fields are decoded when they are first read. */
class SkimmedEvent implements Event {
  readonly id: string
  readonly key: string
  readonly time: EventTime
  readonly source: EventSource
  readonly raw: Uint8Array
  readonly #kind: EventKind
  readonly #codec: AvroCodec
  #fields: Event['fields'] | undefined

  constructor(
    kind: EventKind,
    id: string,
    key: string,
    time: EventTime,
    source: EventSource,
    raw: Uint8Array,
    codec: AvroCodec,
  ) {
    this.id = id
    this.key = key
    this.time = time
    this.source = source
    this.raw = raw
    this.#kind = kind
    this.#codec = codec
  }

  get kind(): string {
    return this.#kind.kind
  }

  get anchor(): boolean {
    return this.#kind.anchor
  }

  get value(): number {
    return 1
  }

  get fields(): Event['fields'] {
    this.#fields ??= this.#decoded()
    return this.#fields
  }

  #decoded(): Event['fields'] {
    const decoded = this.#codec.decode(this.raw)
    if (decoded.kind === 'value') return decoded.value
    throw new MillraceError('BAD_STATE', `an event does not decode any more: ${decoded.reason}`, {
      remedy: 'its bytes were changed while they were held: report it',
    })
  }
}

/** The text at a place, or the decimal text of the number there. */
function nameAt(bytes: Uint8Array, at: number, type: FoundType | undefined): string {
  if (type !== 'text') return String(longAt(bytes, at))
  const start = textStart(bytes, at)
  const length = textLength(bytes, at)
  // Ids are plain ASCII nearly always; a short text is put together faster here than a decoder is called.
  return Buffer.isBuffer(bytes)
    ? bytes.toString('utf8', start, start + length)
    : utf8.decode(bytes.subarray(start, start + length))
}

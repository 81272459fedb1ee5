/**
 * @file The fast way from bytes to an event: id, key and time are read in place, everything else when somebody asks for it.
 * Most events never are: feedback only labels, and what an impression shows is needed once, when its sample is encoded.
 */

import { MillraceError } from '../errors.ts'
import type { EventTime } from '../time.ts'
import type { AvroCodec } from '../wire/avro-codec.ts'
import { type FoundType, longAt, textLength, textStart } from '../wire/field-finder.ts'
import type { Event, EventSource } from './event.ts'
import { type SkimEvent, TIME_LIMIT } from './event-decoder.ts'
import type { EventKind } from './event-kind.ts'
import type { NameUnits } from './name-units.ts'

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
  const [idType = 'text', , keyType = 'text', otherType] = finder.types
  const layout: Layout = { kind, codec, idType, keyType, otherType }
  return (bytes, start, end, input, offset) => {
    if (!finder.find(bytes, places, start, end)) return undefined
    const at = longAt(bytes, places[1]!)
    if (!(at > 0 && at < TIME_LIMIT)) return undefined
    const [idAt, keyAt] = [places[0]!, places[2]!]
    if (isEmpty(bytes, idAt, idType) || isEmpty(bytes, keyAt, keyType)) return undefined
    const otherAt = otherType === undefined ? -1 : places[3]!
    if (otherType !== undefined) {
      if (isEmpty(bytes, otherAt, otherType)) return undefined
      // The first U+0000 of a key ends the user.
      if (hasZero(bytes, keyAt, keyType)) return undefined
    }
    return new SkimmedEvent(layout, bytes, start, end, input, offset, at, idAt, keyAt, otherAt)
  }
}

/** What the events of one kind have in common. */
interface Layout {
  readonly kind: EventKind
  readonly codec: AvroCodec
  readonly idType: FoundType
  readonly keyType: FoundType
  /** Of the item in a key of user and item. */
  readonly otherType: FoundType | undefined
}

/** An event of which there are only places in the bytes of a poll. Small: many thousand wait at a time. */
class SkimmedEvent implements Event {
  readonly time: EventTime
  readonly #layout: Layout
  readonly #bytes: Uint8Array
  readonly #start: number
  readonly #end: number
  readonly #input: number
  readonly #offset: number
  readonly #idAt: number
  readonly #keyAt: number
  readonly #otherAt: number
  #fields: Event['fields'] | undefined

  // One by one and not as an object: this is called for every record.
  constructor(
    layout: Layout,
    bytes: Uint8Array,
    start: number,
    end: number,
    input: number,
    offset: number,
    time: EventTime,
    idAt: number,
    keyAt: number,
    otherAt: number,
  ) {
    this.time = time
    this.#layout = layout
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    this.#input = input
    this.#offset = offset
    this.#idAt = idAt
    this.#keyAt = keyAt
    this.#otherAt = otherAt
  }

  get kind(): string {
    return this.#layout.kind.kind
  }

  get anchor(): boolean {
    return this.#layout.kind.anchor
  }

  get value(): number {
    return 1
  }

  get source(): EventSource {
    return { input: this.#input, offset: this.#offset }
  }

  get raw(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end)
  }

  get id(): string {
    return nameAt(this.#bytes, this.#idAt, this.#layout.idType)
  }

  get key(): string {
    const { keyType, otherType } = this.#layout
    const first = nameAt(this.#bytes, this.#keyAt, keyType)
    if (otherType === undefined) return first
    return `${first}\u0000${nameAt(this.#bytes, this.#otherAt, otherType)}`
  }

  get fields(): Event['fields'] {
    this.#fields ??= this.#decoded()
    return this.#fields
  }

  readId(into: NameUnits): void {
    readName(this.#bytes, this.#idAt, this.#layout.idType, into)
  }

  readKey(into: NameUnits): void {
    const { keyType, otherType } = this.#layout
    readName(this.#bytes, this.#keyAt, keyType, into)
    if (otherType === undefined) return
    into.text('\u0000')
    readName(this.#bytes, this.#otherAt, otherType, into)
  }

  #decoded(): Event['fields'] {
    const decoded = this.#layout.codec.decode(this.raw)
    if (decoded.kind === 'value') return decoded.value
    throw new MillraceError('BAD_STATE', `an event does not decode any more: ${decoded.reason}`, {
      remedy: 'its bytes were changed while they were held: report it',
    })
  }
}

function isEmpty(bytes: Uint8Array, at: number, type: FoundType): boolean {
  return type === 'text' && textLength(bytes, at) === 0
}

function hasZero(bytes: Uint8Array, at: number, type: FoundType): boolean {
  if (type !== 'text') return false
  const start = textStart(bytes, at)
  const end = start + textLength(bytes, at)
  for (let i = start; i < end; i++) if (bytes[i] === 0) return true
  return false
}

/** The text at a place, or the decimal text of the number there. */
function nameAt(bytes: Uint8Array, at: number, type: FoundType): string {
  if (type !== 'text') return String(longAt(bytes, at))
  const start = textStart(bytes, at)
  const length = textLength(bytes, at)
  // Ids are plain ASCII nearly always; a short text is put together faster here than a decoder is called.
  return Buffer.isBuffer(bytes)
    ? bytes.toString('utf8', start, start + length)
    : utf8.decode(bytes.subarray(start, start + length))
}

function readName(bytes: Uint8Array, at: number, type: FoundType, into: NameUnits): void {
  if (type === 'text') {
    const start = textStart(bytes, at)
    if (into.ascii(bytes, start, start + textLength(bytes, at))) return
  }
  into.text(nameAt(bytes, at, type))
}

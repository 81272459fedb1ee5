/** @file A name, as an event's id or key, in UTF-16 code units in memory that is used again: hashed and compared without a text. */

/** What has an id and a key, as texts or, for less, as code units. */
export interface Named {
  readonly id: string
  readonly key: string
  /** Adds the code units of `id`, for less than making the text; absent where the text is there anyway. */
  readId?(into: NameUnits): void
  /** As `readId`, of `key`. */
  readKey?(into: NameUnits): void
}

/** A name as whoever has it has it. */
export type Name = string | NameUnits

/** One name at a time. Names are nearly always ASCII, whose bytes are its code units. */
export class NameUnits {
  /** The first `length` of them are the name; replaced when a longer name comes. */
  units = new Uint16Array(128)
  length = 0

  /** Starts over with nothing. */
  clear(): this {
    this.length = 0
    return this
  }

  text(text: string): this {
    let at = this.#reserve(text.length)
    for (let i = 0; i < text.length; i++) this.units[at++] = text.charCodeAt(i)
    return this
  }

  /** Adds `bytes[from, to)`, which are UTF-8, if they are ASCII; else adds nothing and returns false. */
  ascii(bytes: Uint8Array, from: number, to: number): boolean {
    const start = this.#reserve(to - from)
    const { units } = this
    let seen = 0
    for (let i = from, at = start; i < to; i++, at++) {
      const byte = bytes[i]!
      units[at] = byte
      seen |= byte
    }
    if (seen < 0x80) return true
    this.length = start
    return false
  }

  /** The id of an event. */
  idOf(event: Named): this {
    this.clear()
    if (event.readId === undefined) this.text(event.id)
    else event.readId(this)
    return this
  }

  /** The key of an event. */
  keyOf(event: Named): this {
    this.clear()
    if (event.readKey === undefined) this.text(event.key)
    else event.readKey(this)
    return this
  }

  /** Makes room for so many more; gives where they begin. */
  #reserve(count: number): number {
    const start = this.length
    this.length += count
    if (this.length > this.units.length) {
      const grown = new Uint16Array(2 * this.length)
      grown.set(this.units.subarray(0, start))
      this.units = grown
    }
    return start
  }
}

const scratch = new NameUnits()

/** The units of a name; those of a text are valid until the next text. */
export function unitsOf(name: Name): NameUnits {
  return typeof name === 'string' ? scratch.clear().text(name) : name
}

const [left, right] = [new NameUnits(), new NameUnits()]

/** Orders by id as texts are ordered: negative when that of `a` comes first. */
export function compareIds(a: Named, b: Named): number {
  if (a.readId === undefined && b.readId === undefined)
    return a.id < b.id ? -1 : Number(a.id > b.id)
  left.idOf(a)
  right.idOf(b)
  const shared = Math.min(left.length, right.length)
  for (let i = 0; i < shared; i++) {
    const difference = left.units[i]! - right.units[i]!
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

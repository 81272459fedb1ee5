/** @file From a decoded field to the key of a slot: which bytes of which value are hashed, and with which seed. */

import { type HashKey, hashBytes } from './hash.ts'

/** What a field turned out to be; every other type is ill-typed. */
export type ValueFit = 'value' | 'missing' | 'ill-typed'

/**
 * Makes the keys of one encoder. Per slot: seed = h1 of the slot's name hashed with seed 0; the key of a value is the
 * hash of its text's UTF-8 bytes; the key of "missing" is the hash of no bytes, which no value has, as the empty text
 * counts as missing; the key of a cross is the hash of its members' keys (hi, lo, little-endian) one after the other.
 */
export class ValueKeys {
  readonly #utf8 = new TextEncoder()
  #bytes = new Uint8Array(256)

  /** The seed of the slot of that name. */
  slotSeed(name: string): number {
    const key = { hi: 0, lo: 0 }
    this.#hashText(name, 0, key)
    return key.hi
  }

  /** The key of a field's value, or of "missing" when it is absent or unfit. */
  write(value: unknown, seed: number, key: HashKey): ValueFit {
    const text = textOf(value)
    if (text === undefined) {
      hashBytes(this.#bytes, 0, seed, key)
      return isAbsent(value) ? 'missing' : 'ill-typed'
    }
    this.#hashText(text, seed, key)
    return 'value'
  }

  /** The key of a combination: `halves` holds hi, lo, hi, lo ... of its members. */
  writeCross(halves: Uint32Array, seed: number, key: HashKey): void {
    this.#reserve(halves.length * 4)
    for (let i = 0; i < halves.length; i++) {
      const half = halves[i]!
      for (let b = 0; b < 4; b++) this.#bytes[i * 4 + b] = half >>> (8 * b)
    }
    hashBytes(this.#bytes, halves.length * 4, seed, key)
  }

  #hashText(text: string, seed: number, key: HashKey): void {
    this.#reserve(text.length * 3)
    let length = 0
    for (; length < text.length; length++) {
      const code = text.charCodeAt(length)
      if (code > 127) break
      this.#bytes[length] = code
    }
    // Plain ASCII is copied by hand: for ids of 8 characters the encoder costs several times the hash.
    if (length < text.length) length = this.#utf8.encodeInto(text, this.#bytes).written
    hashBytes(this.#bytes, length, seed, key)
  }

  #reserve(bytes: number): void {
    if (this.#bytes.length < bytes) this.#bytes = new Uint8Array(bytes * 2)
  }
}

/** True for what counts as a missing value: undefined, null and the empty text. */
export function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}

/** The text that is hashed: numbers as ECMAScript prints them (integers in decimal), so 7 and "7" are the same id. */
function textOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value === '' ? undefined : value
    case 'number':
      return Number.isFinite(value) ? String(value) : undefined
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      return undefined
  }
}

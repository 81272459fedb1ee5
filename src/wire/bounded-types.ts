/**
 * @file Avro types whose decoders cannot be made to work or allocate beyond the bytes they were given: avsc trusts block
 * counts and block sizes, so ten bytes could ask it for 2^53 items or send it backwards for ever.
 */

import avsc from 'avsc'
import type { Codec, InvalidHook, Tap } from './avsc-internals.ts'
import { codecOf } from './avsc-internals.ts'

/** The size of the next block. No item is free: an array of nulls is bounded by the bytes that are left as well. */
function blockCount(tap: Tap): number {
  let count = tap.readLong()
  if (count < 0) {
    count = -count
    tap.skipLong()
  }
  const left = Math.max(0, tap.buf.length - tap.pos)
  // Refuses NaN too, which is what an endless varint decodes to.
  if (count <= left) return count
  throw new Error(`truncated: a block of ${count} items with ${left} bytes left`)
}

/** An array; its blocks are read and skipped item by item, whatever size they claim. */
export class BoundedArray extends avsc.types.ArrayType {
  // A resolver borrows this method, hence the declared `this`.
  _read(this: { readonly itemsType: unknown }, tap: Tap): unknown[] {
    const codec = codecOf(this.itemsType)
    const items: unknown[] = []
    for (let count = blockCount(tap); count > 0; count = blockCount(tap)) {
      for (let i = 0; i < count; i++) items.push(codec._read(tap))
    }
    return items
  }

  _skip(tap: Tap): void {
    const codec = codecOf(this.itemsType)
    for (let count = blockCount(tap); count > 0; count = blockCount(tap)) {
      for (let i = 0; i < count; i++) codec._skip(tap)
    }
  }
}

/** A map; any key is an entry, `__proto__` included. */
export class BoundedMap extends avsc.types.MapType {
  _read(this: { readonly valuesType: unknown }, tap: Tap): Record<string, unknown> {
    const codec = codecOf(this.valuesType)
    const entries: Record<string, unknown> = {}
    for (let count = blockCount(tap); count > 0; count = blockCount(tap)) {
      for (let i = 0; i < count; i++) readEntry(entries, codec, tap)
    }
    return entries
  }

  _skip(tap: Tap): void {
    const codec = codecOf(this.valuesType)
    for (let count = blockCount(tap); count > 0; count = blockCount(tap)) {
      for (let i = 0; i < count; i++) {
        tap.skipString()
        codec._skip(tap)
      }
    }
  }
}

function readEntry(entries: Record<string, unknown>, codec: Codec, tap: Tap): void {
  const key = tap.readString() ?? ''
  const value = codec._read(tap)
  if (key !== '__proto__') {
    entries[key] = value
    return
  }
  // A plain assignment to this key would change the object's prototype instead of adding an entry.
  const entry = { value, enumerable: true, writable: true, configurable: true }
  Object.defineProperty(entries, key, entry)
}

/** Takes any Uint8Array, where avsc insists on a Buffer. */
export class ByteArray extends avsc.types.BytesType {
  _check(value: unknown, _flags?: unknown, hook?: InvalidHook): boolean {
    if (value instanceof Uint8Array) return true
    hook?.(value, this)
    return false
  }

  _write(tap: Tap, value: unknown): void {
    if (!(value instanceof Uint8Array)) throw new Error('bytes must be a Uint8Array')
    tap.writeBytes(Buffer.from(value.buffer, value.byteOffset, value.length))
  }
}

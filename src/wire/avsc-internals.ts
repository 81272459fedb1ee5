/** @file What avsc's types expect of each other (avsc 5.7, `lib/types.js` and `lib/utils.js`) and its declarations leave out. */

/** The cursor over the bytes that all types read from and write to. Reads past the end move it there and say nothing. */
export interface Tap {
  readonly buf: Buffer
  pos: number
  readInt(): number
  readLong(): number
  skipLong(): void
  readString(): string | undefined
  skipString(): void
  writeLong(value: number): void
  writeBytes(value: Buffer): void
}

/** Called with every value that does not fit its type. */
export type InvalidHook = (value: unknown, type: unknown) => void

/** `wrap: 2` marks the copy of a field's default. */
export interface CopyOptions {
  readonly wrap?: number
}

/** The methods that a type must have for other types to contain it. */
export interface Codec {
  readonly typeName: string
  _read(tap: Tap): unknown
  _skip(tap: Tap): void
  _write(tap: Tap, value: unknown): void
  _check(value: unknown, flags?: unknown, hook?: InvalidHook, path?: string[]): boolean
  _copy(value: unknown, options?: CopyOptions): unknown
  createResolver(writer: unknown, options?: unknown): Codec
}

/** A contained type with the methods that every avsc type has. */
export function codecOf(type: unknown): Codec {
  return type as Codec
}

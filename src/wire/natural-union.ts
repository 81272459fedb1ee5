/** @file Unions without wrapper objects: a value reads as itself also where avsc would want `{ long: 3 }`. */

import avsc from 'avsc'
import type { CopyOptions, InvalidHook, Tap } from './avsc-internals.ts'
import { codecOf } from './avsc-internals.ts'

/** A value is written as the first branch that holds it; -0 is no integer, so that its sign survives. */
export class NaturalUnion extends avsc.types.WrappedUnionType {
  _check(value: unknown, flags?: unknown, hook?: InvalidHook): boolean {
    if (this.#branchOf(value, flags) >= 0) return true
    hook?.(value, this)
    return false
  }

  _read(tap: Tap): unknown {
    return codecOf(this.#branchAt(tap.readLong()))._read(tap)
  }

  _skip(tap: Tap): void {
    codecOf(this.#branchAt(tap.readLong()))._skip(tap)
  }

  _write(tap: Tap, value: unknown): void {
    const index = this.#branchOf(value)
    const branch = codecOf(this.#branchAt(index))
    tap.writeLong(index)
    branch._write(tap, value)
  }

  /** How to read what a writer wrote with a type that is not a union: as the first branch that can. */
  _update(resolver: { _read?: (tap: Tap) => unknown }, writer: unknown, options: unknown): void {
    for (const branch of this.types) {
      try {
        const resolved = codecOf(branch).createResolver(writer, options)
        resolver._read = (tap) => resolved._read(tap)
        return
      } catch {
        // Not this branch. When it is none of them, avsc itself says so.
      }
    }
  }

  /** Defaults are of the first branch (Avro specification, "Unions"). */
  _copy(value: unknown, options?: CopyOptions): unknown {
    const index = options?.wrap === 2 ? 0 : this.#branchOf(value)
    return codecOf(this.#branchAt(index))._copy(value, options)
  }

  #branchAt(index: number): unknown {
    const branch = this.types[index]
    if (branch !== undefined) return branch
    throw new Error(`union branch ${index} of ${this.types.length}`)
  }

  #branchOf(value: unknown, flags?: unknown): number {
    const negativeZero = Object.is(value, -0)
    return this.types.findIndex((branch) => {
      const codec = codecOf(branch)
      if (negativeZero && (codec.typeName === 'int' || codec.typeName === 'long')) return false
      return codec._check(value, flags)
    })
  }
}

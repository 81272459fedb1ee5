/** @file The keys of a queue of impressions in one block of memory: what comes first is forgotten first, and no key is an object. */

import type { NameUnits } from '../events/name-units.ts'

const SMALLEST = 1024

/** Code units of names, one after the other in a ring. Places only count up, so one stays valid until its name is forgotten. */
export class KeyRing {
  #units = new Uint16Array(SMALLEST)
  #first = 0
  #next = 0

  /** Where the next name goes. */
  get next(): number {
    return this.#next
  }

  /** Adds a name; gives its place. */
  add({ units, length }: NameUnits): number {
    if (this.#next + length - this.#first > this.#units.length) this.#grow(length)
    const at = this.#next
    const mask = this.#units.length - 1
    for (let i = 0; i < length; i++) this.#units[(at + i) & mask] = units[i]!
    this.#next = at + length
    return at
  }

  /** Whether the name at a place begins with this one: it is this one when it is as long. */
  holds(at: number, { units, length }: NameUnits): boolean {
    const mask = this.#units.length - 1
    for (let i = 0; i < length; i++) if (this.#units[(at + i) & mask] !== units[i]) return false
    return true
  }

  /** The text of so many units at a place. */
  text(at: number, length: number): string {
    const mask = this.#units.length - 1
    let text = ''
    for (let i = 0; i < length; i++) text += String.fromCharCode(this.#units[(at + i) & mask]!)
    return text
  }

  /** Forgets the names before a place. */
  forgetBefore(at: number): void {
    this.#first = at
  }

  #grow(length: number): void {
    let capacity = this.#units.length * 2
    while (this.#next + length - this.#first > capacity) capacity *= 2
    const grown = new Uint16Array(capacity)
    const mask = this.#units.length - 1
    for (let at = this.#first; at < this.#next; at++) {
      grown[at & (capacity - 1)] = this.#units[at & mask]!
    }
    this.#units = grown
  }
}

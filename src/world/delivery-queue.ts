/** @file Deliveries that wait for their moment: a binary heap by time of delivery, ties in the order of making. */

import type { Delivery } from '../delivery.ts'

/** Smallest `timestampMs` first; among equals the one pushed first. */
export class DeliveryQueue {
  readonly #heap: { order: number; delivery: Delivery }[] = []
  #pushed = 0

  get size(): number {
    return this.#heap.length
  }

  /** Time of the next delivery, Unix ms; Infinity when there is none. */
  get nextMs(): number {
    return this.#heap[0]?.delivery.timestampMs ?? Number.POSITIVE_INFINITY
  }

  push(delivery: Delivery): void {
    const heap = this.#heap
    const entry = { order: this.#pushed++, delivery }
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]!
      if (!isBefore(entry, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = entry
  }

  pop(): Delivery | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined) return undefined
    if (heap.length > 0) this.#sink(last)
    return first.delivery
  }

  #sink(entry: { order: number; delivery: Delivery }): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, entry)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = entry
  }
}

function isBefore(
  a: { order: number; delivery: Delivery },
  b: { order: number; delivery: Delivery },
): boolean {
  const byTime = a.delivery.timestampMs - b.delivery.timestampMs
  return byTime === 0 ? a.order < b.order : byTime < 0
}

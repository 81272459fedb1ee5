import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Delivery } from '../../src/delivery.ts'
import { DeliveryQueue } from '../../src/world/delivery-queue.ts'

function delivery(timestampMs: number, name: number): Delivery {
  return { kind: 'click', key: new Uint8Array(), timestampMs, value: { name }, damage: undefined }
}

test('deliveries leave by time, and in the order of pushing where times are equal', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), (times) => {
      const queue = new DeliveryQueue()
      const pushed = times.map((time, name) => delivery(time, name))
      for (const one of pushed) queue.push(one)
      expect(queue.nextMs).toBe(times.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...times))
      const left = pushed.map(() => queue.pop())
      expect(left).toEqual(pushed.toSorted((a, b) => a.timestampMs - b.timestampMs))
      expect(queue.pop()).toBeUndefined()
      expect(queue.size).toBe(0)
    }),
    { seed: 5 },
  )
})

test('pushing between pops keeps the order', () => {
  const queue = new DeliveryQueue()
  for (const time of [5, 1, 9]) queue.push(delivery(time, time))
  expect(queue.pop()?.timestampMs).toBe(1)
  queue.push(delivery(2, 2))
  expect([queue.pop(), queue.pop(), queue.pop()].map((d) => d?.timestampMs)).toEqual([2, 5, 9])
})

/** @file Pooled blocks: memory comes back for the next block of a like size, and never to two owners at once. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Block, HeapBlocks } from '../../src/tensors/array-block.ts'

test('a released block serves the next one of its size', () => {
  const store = new HeapBlocks('float32')
  const first = store.allocate(1000)
  const { buffer } = first.values
  store.release(first)
  const second = store.allocate(1000)
  expect(second.values.buffer).toBe(buffer)
  expect(second.values).toHaveLength(1000)
})

test('a block in use is never given out again', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 60 }), (steps) => {
      const store = new HeapBlocks('float64')
      const held: { block: Block; mark: number }[] = []
      steps.forEach((size, mark) => {
        if (size % 3 === 0 && held.length > 0) store.release(held.shift()!.block)
        const block = store.allocate(size)
        expect(block.values).toHaveLength(size)
        block.values.fill(mark)
        held.push({ block, mark })
      })
      for (const { block, mark } of held) {
        expect(block.values.every((value) => value === mark)).toBe(true)
      }
      expect(store.inUse()).toBe(held.length)
    }),
  )
})

test('a block is at most a quarter larger than asked for', () => {
  const store = new HeapBlocks('float64')
  for (let size = 8; size < 5000; size++) {
    const block = store.allocate(size)
    expect(block.values.buffer.byteLength / 8).toBeLessThanOrEqual(size * 1.25)
    store.release(block)
  }
})

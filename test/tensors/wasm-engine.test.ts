/** @file What could go wrong only on the wasm heap: memory that moves, packed operands that outlive their values. */

import { expect, test } from 'vitest'
import { openEngine } from '../../src/tensors/engine-choice.ts'

const { engine } = await openEngine('wasm')

test('tensors survive growth of the heap', () => {
  const early = engine.upload(Float32Array.of(1, 2, 3), [3])
  // The heap starts at 16 MB: 200 MB move it several times, in the middle of kernels as well.
  const large = Array.from({ length: 5 }, (_, i) =>
    engine.upload(new Float32Array(10_000_000).fill(i), [10_000_000]),
  )
  const total = engine.weightedSum(large)
  expect(engine.read(total)[9_999_999]).toBe(10)
  const doubled = engine.affine(early, 2, 0)
  expect([...engine.read(early), ...engine.read(doubled)]).toEqual([1, 2, 3, 2, 4, 6])
  for (const tensor of [early, ...large, total, doubled]) engine.dispose(tensor)
  expect(engine.liveTensors()).toBe(0)
})

test('a product uses the values of this right operand, not of one that lived there before', () => {
  const x = engine.upload(new Float32Array(40 * 30).fill(1), [40, 30])
  for (let round = 0; round < 20; round++) {
    const weight = engine.upload(new Float32Array(30 * 20).fill(round), [30, 20])
    const bias = engine.upload(new Float32Array(20).fill(round / 2), [20])
    const y = engine.linear(x, weight, bias, 'relu', 0)
    const again = engine.linear(x, weight, undefined, undefined, 0)
    expect(engine.read(y)[0]).toBe(30 * round + round / 2)
    expect(engine.read(again)[799]).toBe(30 * round)
    for (const tensor of [weight, bias, y, again]) engine.dispose(tensor)
  }
  engine.dispose(x)
})

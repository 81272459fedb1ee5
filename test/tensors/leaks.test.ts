/** @file 10,000 training steps leave no tensor behind, in the engine's count and in the backend's own. */

import { expect, test } from 'vitest'
import { openEngine } from '../../src/tensors/engine-choice.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { drawMixture, stepAtCut } from './small-mixture.ts'

// Experts are large enough for XNNPACK (4 x 64 x 64 multiplications), so its packed operands are counted too.
const size = { batch: 4, inputs: 64, experts: 1, hidden: 64, output: 2, tasks: 2 }
const STEPS = 10_000

test('the plain engine', () => {
  const engine = plainEngine()
  const small = { batch: 2, inputs: 3, experts: 2, hidden: 4, output: 2, tasks: 2 }
  const leaves = drawMixture(small, 7)
  const before = engine.liveBuffers()
  const held = engine.upload(Float32Array.of(1), [])
  for (let i = 0; i < STEPS; i++) stepAtCut(engine, small, leaves, [1, 1])
  expect([engine.liveTensors(), engine.liveBuffers()]).toEqual([1, before + 1])
  engine.dispose(held)
})

test('the wasm engine, with bounded memory', async () => {
  const { engine } = await openEngine('wasm')
  const leaves = drawMixture(size, 7)
  const before = engine.liveBuffers()
  stepAtCut(engine, size, leaves, [1, 1])
  let resident = 0
  for (let i = 0; i < STEPS; i++) {
    stepAtCut(engine, size, leaves, [1, 1])
    if (i === STEPS / 10) resident = process.memoryUsage().rss
  }
  expect([engine.liveTensors(), engine.liveBuffers()]).toEqual([0, before])
  // One leaked 16 kB operand per step would be 147 MB over the last nine tenths.
  expect(process.memoryUsage().rss - resident).toBeLessThan(60e6)
})

test('a leak would be noticed', async () => {
  const { engine } = await openEngine('wasm')
  const before = engine.liveBuffers()
  const tensor = engine.upload(Float32Array.of(1, 2), [2])
  expect(engine.liveTensors()).toBe(1)
  expect(engine.liveBuffers()).toBe(before + 1)
  engine.dispose(tensor)
})

/** @file The TensorFlow engine's own ways: forms of a tensor that are kept with it, memory, signals in the middle of a product. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { messageOf } from '../../src/errors.ts'
import type { Tensor } from '../../src/tensors/engine.ts'
import { loadNativeLibrary, type NativeLibrary } from '../../src/tensors/native-binding.ts'
import { NativeEngine } from '../../src/tensors/native-engine.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { drawMixture, stepAtCut } from './small-mixture.ts'

function libraryHere(): NativeLibrary | undefined {
  try {
    return loadNativeLibrary()
  } catch (thrown) {
    console.warn(`NOT TESTED: the TensorFlow engine does not start here: ${messageOf(thrown)}`)
    return undefined
  }
}

const here = libraryHere()
if (here === undefined) test.skip('the TensorFlow engine does not start here', () => {})
else describe('the TensorFlow engine', () => suite(here))

function suite({ binding, origin }: NativeLibrary): void {
  const engine = new NativeEngine(binding)
  const plain = plainEngine('float64')

  function matrix(on: { upload: NativeEngine['upload'] }, seed: number, shape: number[]): Tensor {
    const size = shape.reduce((product, axis) => product * axis, 1)
    const values = Float64Array.from({ length: size }, (_, i) => Math.sin(seed + i * 1.3))
    return on.upload(values, shape)
  }

  /** The largest difference between the two engines' values. */
  function gap(found: Tensor, wanted: Tensor): number {
    const values = plain.read(wanted)
    return Math.max(...Array.from(engine.read(found), (x, i) => Math.abs(x - values[i]!)))
  }

  test('10,000 training steps leave nothing behind', () => {
    const size = { batch: 4, inputs: 16, experts: 2, hidden: 8, output: 4, tasks: 2 }
    const leaves = drawMixture(size, 7)
    const before = engine.liveBuffers()
    for (let i = 0; i < 10_000; i++) stepAtCut(engine, size, leaves, [1, 0.5])
    expect([engine.liveTensors(), engine.liveBuffers()]).toEqual([0, before])
  }, 180_000)

  test('a leak would be noticed', () => {
    const before = engine.liveBuffers()
    const tensor = engine.upload(Float32Array.of(1, 2), [2])
    expect([engine.liveTensors(), engine.liveBuffers()]).toEqual([1, before + 1])
    engine.dispose(tensor)
  })

  test('mixing other experts that start with the same one mixes those, not the ones before', () => {
    const before = engine.liveBuffers()
    const shapes: [number, number[]][] = [
      [1, [5, 2]],
      [2, [5, 3]],
      [3, [5, 3]],
      [4, [5, 3]],
    ]
    const [gates, a, b, c] = shapes.map(([seed, shape]) => matrix(engine, seed, shape))
    const [pGates, pA, pB, pC] = shapes.map(([seed, shape]) => matrix(plain, seed, shape))
    const mixtures: [Tensor, Tensor][] = [
      [engine.mix(gates!, [a!, b!]), plain.mix(pGates!, [pA!, pB!])],
      [engine.mix(gates!, [a!, c!]), plain.mix(pGates!, [pA!, pC!])],
      [engine.mix(gates!, [a!, b!]), plain.mix(pGates!, [pA!, pB!])],
      [engine.mixGatesGradient(b!, [a!, c!]), plain.mixGatesGradient(pB!, [pA!, pC!])],
    ]
    for (const [found, wanted] of mixtures) expect(gap(found, wanted)).toBeLessThan(1e-6)
    for (const tensor of [gates!, a!, b!, c!, ...mixtures.map(([found]) => found)]) {
      engine.dispose(tensor)
    }
    expect(engine.liveBuffers()).toBe(before)
  })

  test('sums and dot products of other gradients that start with the same one are of those', () => {
    const before = engine.liveBuffers()
    const seeds = [1, 2, 3]
    const [a, b, c] = seeds.map((seed) => matrix(engine, seed, [4, 6]))
    const [pA, pB, pC] = seeds.map((seed) => matrix(plain, seed, [4, 6]))
    for (const [mine, wanted] of [
      [
        [a!, b!],
        [pA!, pB!],
      ],
      [
        [a!, c!],
        [pA!, pC!],
      ],
      [
        [a!, b!, c!],
        [pA!, pB!, pC!],
      ],
      [[a!], [pA!]],
    ] as const) {
      const gram = plain.gram(wanted)
      for (const [i, value] of engine.gram(mine).entries()) expect(value).toBeCloseTo(gram[i]!, 5)
      const coefficients = [0.5, -2, 3].slice(0, mine.length)
      const sums = [
        engine.weightedSum(mine, coefficients),
        plain.weightedSum(wanted, coefficients),
      ] as const
      expect(gap(...sums)).toBeLessThan(1e-6)
      engine.dispose(sums[0])
    }
    for (const tensor of [a!, b!, c!]) engine.dispose(tensor)
    expect(engine.liveBuffers()).toBe(before)
    expect(() => engine.gram([a!])).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  test('gives the same bytes at the size of a real batch, every time', () => {
    const [x, w] = [matrix(engine, 1, [1024, 256]), matrix(engine, 2, [256, 128])]
    const bytesOf = (): string => {
      const y = engine.linear(x, w, undefined, 'relu', 0)
      const dw = engine.matMul(x, y, { transposeA: true })
      const text = Buffer.concat([y, dw].map((t) => Buffer.from(engine.read(t).buffer))).toString(
        'latin1',
      )
      for (const tensor of [y, dw]) engine.dispose(tensor)
      return text
    }
    const first = bytesOf()
    for (let i = 0; i < 20; i++) expect(bytesOf() === first).toBe(true)
    for (const tensor of [x, w]) engine.dispose(tensor)
  })

  // Without scripts/native/blocked-signals.cc a few hundred signals corrupted the heap. A library of npm's has no such guard.
  test.runIf(origin.includes('npm run native'))(
    'signals in the middle of products change nothing',
    async () => {
      const [x, w] = [matrix(engine, 1, [32, 256]), matrix(engine, 2, [256, 128])]
      const first = engine.matMul(x, w)
      const expected = engine.read(first)
      let received = 0
      const count = (): void => void received++
      process.on('SIGWINCH', count)
      const loop = `for (;;) try { process.kill(${process.pid}, 'SIGWINCH') } catch { process.exit() }`
      const sender = spawn(process.execPath, ['-e', loop], { stdio: 'ignore' })
      const ended = once(sender, 'exit')
      while (received < 300) {
        for (let i = 0; i < 50; i++) {
          const y = engine.matMul(x, w)
          expect(engine.read(y)).toEqual(expected)
          engine.dispose(y)
        }
        await new Promise(setImmediate)
      }
      sender.kill()
      await ended
      process.off('SIGWINCH', count)
      for (const tensor of [x, w, first]) engine.dispose(tensor)
    },
  )
}

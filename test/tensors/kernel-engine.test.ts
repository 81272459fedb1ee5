/** @file The native engine's own ways: edges of its tiles, threads that change no bit, memory that is used again. */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { layOutColumns } from '../../src/embeddings/columns.ts'
import { rowBlock, stepRows } from '../../src/embeddings/row-step.ts'
import { sparseOptimizer } from '../../src/embeddings/sparse-optimizers.ts'
import { randomFrom } from '../../src/random.ts'
import type { Engine, Tensor } from '../../src/tensors/engine.ts'
import type { KernelLibrary } from '../../src/tensors/kernel-binding.ts'
import { KernelEngine } from '../../src/tensors/kernel-engine.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { kernelsHere } from './open-engines.ts'
import { drawMixture, forwardMixture, stepAtCut } from './small-mixture.ts'

const here = kernelsHere()
if (here === undefined) test.skip('the native engine does not start here', () => {})
else describe('the native engine', () => suite(here))

const ADAGRAD = {
  kind: 'adagrad',
  learning_rate: 0.05,
  initial_accumulator: 0,
  epsilon: 1e-10,
} as const

function matrix(on: Engine, seed: number, shape: number[]): Tensor {
  const size = shape.reduce((product, axis) => product * axis, 1)
  const values = Float64Array.from({ length: size }, (_, i) =>
    Math.fround(Math.sin(seed + i * 1.3)),
  )
  return on.upload(values, shape)
}

/** Products of a batch's size in every transposition, on two threads where there are two. */
const DIGEST = `
  const [binding, engines] = await Promise.all(process.argv.slice(1).map((file) => import(file)))
  const library = binding.loadKernels()
  const engine = new engines.KernelEngine(library.binding)
  const drawn = (seed, ...shape) => engine.upload(
    Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(seed + i * 1.3)), shape)
  const hash = (await import('node:crypto')).createHash('sha256')
  const [x, w, y] = [drawn(1, 1000, 300), drawn(2, 300, 200), drawn(3, 1000, 200)]
  for (const tensor of [engine.linear(x, w, undefined, 'relu', 0), engine.matMul(x, y, { transposeA: true }),
    engine.matMul(y, w, { transposeB: true }), engine.fused.inputGradient(y, w, x, engine.affine(x, 1, 0)),
    engine.fused.mixtureGradient([{ cotangent: x, gates: y, k: 3 }, { cotangent: x, gates: y, k: 0 }], x), engine.sumRows(x), engine.sum(x), engine.mul(x, x)])
    hash.update(engine.read(tensor))
  hash.update(engine.gram([x, x]))
  console.log(library.binding.threads(), hash.digest('hex'))
`

function suite({ binding }: KernelLibrary): void {
  const engine = new KernelEngine(binding)
  const plain = plainEngine('float64')

  test('rows of a table are stepped by Adagrad to the bytes that JavaScript gives', () => {
    const random = randomFrom(11)
    const drawn = (length: number, scale: number) =>
      Float32Array.from({ length }, () => random.normal() * scale)
    for (const [width, factor, half_life_steps] of [
      [16, 1, undefined],
      [5, 0.37, 12.5],
      [1, 1, undefined],
    ] as const) {
      const columns = layOutColumns(
        [
          { name: 'a', width: 3, deviation: 0 },
          {
            name: 'b',
            width,
            deviation: 0,
            optimizer: sparseOptimizer({ ...ADAGRAD, half_life_steps }),
          },
        ],
        1,
      )
      const { groups, recordWidth } = columns
      const group = groups[1]!
      // Negative sums of squares give NaN, which must be the same NaN as everywhere.
      const pages = [drawn(8192 * recordWidth, 0.01).map(Math.abs), drawn(8192 * recordWidth, 1)]
      const copies = pages.map((page) => page.slice())
      const rows = Int32Array.from({ length: 3000 }, (_, i) => (i % 7 === 3 ? -1 : i * 5))
      const gradient = drawn(rows.length * width, 1e-3).map((g, i) =>
        Math.floor(i / width) % 5 === 2 ? 0 : g,
      )
      const here = rowBlock(pages, recordWidth, group, rows, gradient)
      stepRows(group.optimizer!, here, { factor })
      const there = rowBlock(copies, recordWidth, group, rows, gradient)
      stepRows(group.optimizer!, there, { factor, kernels: engine.rows })
      expect(there.moved).toEqual(here.moved)
      expect(here.moved.includes(0) && here.moved.includes(1)).toBe(true)
      for (const [page, values] of pages.entries()) {
        expect(Buffer.compare(Buffer.from(copies[page]!.buffer), Buffer.from(values.buffer))).toBe(
          0,
        )
      }
    }
  })

  test('a Gram matrix has the bytes of its products one by one, whatever the length', () => {
    for (const size of [1, 15, 16, 63, 64, 4095, 4096, 4097, 9000]) {
      const tensors = [1, 2, 3].map((seed) => matrix(engine, seed, [size]))
      const gram = engine.gram(tensors)
      const exact = [1, 2, 3].map((seed) => matrix(plain, seed, [size]))
      const expected = plain.gram(exact)
      for (const [i, a] of tensors.entries()) {
        expect(gram[i * 3 + i]).toBe(engine.dense.squares(a))
        for (const [j, b] of tensors.entries()) {
          expect(gram[i * 3 + j]).toBe(engine.gram([a, b])[1])
          expect(gram[i * 3 + j]).toBeCloseTo(expected[i * 3 + j]!, 2)
        }
      }
      for (const tensor of tensors) engine.dispose(tensor)
      for (const tensor of exact) plain.dispose(tensor)
    }
  })

  test('rows that do not exist are refused, not written', () => {
    const block = {
      ...{
        pages: [new Float32Array(8)],
        pageBits: 1,
        recordWidth: 4,
        valueAt: 0,
        stateAt: 1,
        width: 1,
      },
      ...{ gradient: Float32Array.of(1), moved: new Uint8Array(1), rows: Int32Array.of(2) },
    }
    expect(() => engine.rows.adagrad(block, { rate: 1, epsilon: 0, keep: 1 })).toThrow(
      /row that does not exist/,
    )
  })

  test('products of any shape are right, whatever is left over at the edges of a tile', () => {
    const length = fc.integer({ min: 1, max: 70 })
    const depth = fc.oneof(length, fc.constantFrom(255, 256, 257, 600))
    fc.assert(
      fc.property(length, depth, length, fc.boolean(), fc.boolean(), (m, k, n, ta, tb) => {
        const options = { transposeA: ta, transposeB: tb }
        const results = [engine, plain].map((on) => {
          const a = matrix(on, 1, ta ? [k, m] : [m, k])
          const b = matrix(on, 2, tb ? [n, k] : [k, n])
          const y = on.matMul(a, b, options)
          const values = on.read(y)
          for (const tensor of [a, b, y]) on.dispose(tensor)
          return values
        })
        for (const [i, value] of results[1]!.entries()) {
          expect(Math.abs(results[0]![i]! - value)).toBeLessThan(1e-5 + 2e-6 * k)
        }
      }),
      { numRuns: 200 },
    )
    expect(engine.liveBuffers()).toBe(0)
  })

  test('one thread gives the bytes that two give', () => {
    const modules = ['kernel-binding.js', 'kernel-engine.js'].map(
      (name) => new URL(`../../dist/src/tensors/${name}`, import.meta.url).href,
    )
    const digests = ['1', '2', '5'].map((threads) => {
      const args = ['--input-type=module', '-e', DIGEST, ...modules]
      const env = { ...process.env, MILLRACE_THREADS: threads }
      const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
      const [used, digest] = stdout.trim().split(' ')
      expect(used, stderr).toBe(threads)
      return digest
    })
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/)
    expect(new Set(digests).size).toBe(1)
  })

  test('10,000 training steps of changing size leave nothing behind and need no more memory', () => {
    const run = (steps: number): void => {
      for (let i = 0; i < steps; i++) {
        const size = { batch: 1 + (i % 97), inputs: 16, experts: 2, hidden: 8, output: 4, tasks: 2 }
        stepAtCut(engine, size, drawMixture(size, 7), [1, 0.5])
      }
    }
    run(1000)
    const before = process.memoryUsage().rss
    run(9000)
    expect([engine.liveTensors(), engine.liveBuffers()]).toEqual([0, 0])
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6)
  }, 120_000)

  test('a whole pass of fused kernels gives the gradients of kernels one by one, wherever it is cut', () => {
    const size = { batch: 37, inputs: 24, experts: 3, hidden: 40, output: 18, tasks: 2 }
    for (const stopAtWrt of [true, false]) {
      for (const asked of [[], [0, 2]]) {
        const [ours, theirs] = [engine, plain].map((on) => {
          const { tape, at, cut, losses } = forwardMixture(on, size, drawMixture(size, 5))
          const names = [...drawMixture(size, 5).keys()]
          const wrt = [...names.map(at), ...asked.map((k) => cut[k]!)]
          const seeds = losses.map((of, t) => ({ of, cotangent: Float64Array.of(t + 0.5) }))
          const gradients = tape.backward(seeds, wrt, { stopAtWrt })
          const values = gradients.map((gradient, i) => tape.gradientValues(gradient, wrt[i]!))
          tape.dispose()
          return values
        })
        for (const [i, values] of theirs!.entries()) {
          for (const [c, value] of values.entries()) expect(ours![i]![c]).toBeCloseTo(value, 5)
        }
      }
    }
    expect([engine.liveTensors(), engine.liveBuffers()]).toEqual([0, 0])
  })

  test('a leak would be noticed', () => {
    const tensor = engine.upload(Float32Array.of(1, 2), [2])
    const second = engine.reshape(tensor, [1, 2])
    expect([engine.liveTensors(), engine.liveBuffers()]).toEqual([2, 1])
    engine.dispose(tensor)
    expect(engine.read(second)).toEqual(Float32Array.of(1, 2))
    engine.dispose(second)
    expect([engine.liveTensors(), engine.liveBuffers()]).toEqual([0, 0])
    expect(() => engine.read(second)).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  test('repeats its bytes at the size of a real batch', () => {
    const size = { batch: 512, inputs: 64, experts: 4, hidden: 96, output: 64, tasks: 3 }
    const digest = (): string => {
      const { losses, gram, gradients } = stepAtCut(engine, size, drawMixture(size, 3), [1, 2, 3])
      const hash = createHash('sha256').update(JSON.stringify([...losses, ...gram]))
      for (const values of gradients.values()) hash.update(JSON.stringify([...values]))
      return hash.digest('hex')
    }
    const first = digest()
    for (let i = 0; i < 5; i++) expect(digest()).toBe(first)
  })
}

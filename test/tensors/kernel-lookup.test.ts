/** @file Rows found by the native kernels: those that JavaScript finds, with the same bytes, wherever keys collide. */

import { describe, expect, test } from 'vitest'
import { layOutColumns } from '../../src/embeddings/columns.ts'
import { EmbeddingTable } from '../../src/embeddings/table.ts'
import { mix32 } from '../../src/random.ts'
import type { KernelLibrary } from '../../src/tensors/kernel-binding.ts'
import { KernelEngine } from '../../src/tensors/kernel-engine.ts'
import { kernelsHere } from './open-engines.ts'

const library = kernelsHere()
if (library === undefined) test.skip('the native engine does not start here', () => {})
else describe('lookups by the native kernels', () => suite(library))

/** Row i's key: tags and places of neighbours are often the same. */
const keyOf = (i: number): [number, number] => [mix32(i % 3000), Math.imul(i, 0x9e3779b1) >>> 0]

function suite({ binding }: KernelLibrary): void {
  const kernels = new KernelEngine(binding).rows

  test('give the rows and values of JavaScript, for seen, unseen and removed keys, in one page and in several', () => {
    for (const [rows, width] of [
      [1, 3],
      [900, 16],
      [20_000, 5],
    ] as const) {
      const table = new EmbeddingTable(layOutColumns([{ name: 'a', width, deviation: 0.1 }], 1))
      for (let i = 0; i < rows; i++) table.insertOne(...keyOf(i))
      for (let i = 0; i < rows; i += 7) table.remove(...keyOf(i), 'erased')
      const count = 4000
      const pairs = Array.from({ length: count }, (_, i) => keyOf((i * 37) % (rows * 2)))
      const hi = Uint32Array.from(pairs, ([value]) => value)
      const lo = Uint32Array.from(pairs, ([, value]) => value)
      const found = [undefined, kernels].map((by) => {
        const at = new Int32Array(count).fill(-7)
        const values = new Float32Array(count * width).fill(9)
        const unseen = table.lookUp({ hi, lo, count }, at, values, by)
        return { unseen, at, values: Buffer.from(values.buffer) }
      })
      expect(found[1]).toEqual(found[0])
      expect(found[0]!.unseen).toBeGreaterThan(0)
    }
  })

  test('refuse arrays that are too short', () => {
    const words = new Uint32Array(4)
    const block = {
      ...{ shards: Array.from({ length: 256 }, () => new Uint32Array(8)), pages: [words] },
      ...{ pageBits: 13, recordWidth: 4, valueAt: 2, width: 2, hi: words, lo: words, count: 4 },
    }
    const short = { ...block, rows: new Int32Array(3), values: new Float32Array(8) }
    expect(() => kernels.lookUp(short)).toThrow(/longer array/)
    const whole = { ...block, rows: new Int32Array(4), values: new Float32Array(8) }
    expect(kernels.lookUp(whole)).toBe(4)
    expect([...whole.rows]).toEqual([-1, -1, -1, -1])
  })
}

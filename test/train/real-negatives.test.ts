import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EncodedFeatures } from '../../src/features/encoded-batch.ts'
import { randomFrom } from '../../src/random.ts'
import type { Sample } from '../../src/samples/sample.ts'
import { RealNegatives } from '../../src/train/real-negatives.ts'
import { stageContract } from '../contracts/stage.contract.ts'
import { plainSample } from '../samples/plain-sample.ts'

/** One row of one id. */
function oneId(id: number): EncodedFeatures {
  const slot = { hi: Uint32Array.of(1), lo: Uint32Array.of(id), starts: Uint32Array.of(0, 1) }
  const dense = new Float32Array(0)
  return { rows: 1, slots: [{ ...slot, pooling: 'single' }], dense, denseWidth: 0 }
}

/** A matured row of two tasks. */
function matured(labels: readonly number[], late: readonly number[]): Sample {
  const bytes = Uint8Array.from(late)
  return plainSample({ role: 'matured', labels: Float32Array.from(labels), late: bytes })
}

describe('the heads for real negatives', () => {
  it('estimate 1 before anything has matured, so that nothing is weighed down on no grounds', () => {
    expect([...new RealNegatives(2).estimate(oneId(7))]).toEqual([1, 1])
  })

  it('learn how often a negative stays one, per task and by what the row shows', () => {
    const heads = new RealNegatives(2)
    const random = randomFrom(5)
    for (let n = 0; n < 8_000; n++) {
      const id = random.integer(2)
      const turned = [random.uniform() < 0.1 + 0.3 * id ? 1 : 0, random.uniform() < 0.02 ? 1 : 0]
      heads.learn(oneId(id), [matured(turned, turned)])
    }
    const [first0, second0] = heads.estimate(oneId(0))
    const [first1, second1] = heads.estimate(oneId(1))
    expect(first0).toBeCloseTo(0.9, 1)
    expect(first1).toBeCloseTo(0.6, 1)
    expect(second0).toBeCloseTo(0.98, 1)
    expect(second1).toBeCloseTo(0.98, 1)
  })

  it('leave out what was positive in the provisional row already, and unknown labels', () => {
    const heads = new RealNegatives(2)
    const before = Buffer.from(heads.snapshot()).toString('hex')
    heads.learn(oneId(1), [{ ...matured([1, 0], [0, 0]), mask: Uint8Array.of(1, 0) }])
    expect(Buffer.from(heads.snapshot()).toString('hex')).toBe(before)
  })
})

const row = fc.record({ id: fc.nat(3), turned: fc.nat(1) })

stageContract({
  name: 'the heads for real negatives',
  histories: fc.array(row, { maxLength: 6 }).map((inputs) => ({
    make: () => new RealNegatives(2),
    inputs,
  })),
  feed: (heads, rows) => ({
    estimates: rows.map(({ id, turned }) => {
      heads.learn(oneId(id), [matured([turned, 0], [turned, 0])])
      return [...heads.estimate(oneId(id))]
    }),
  }),
  runs: 5,
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type MiniBatch, MiniBatcher } from '../../src/samples/mini-batcher.ts'
import type { Sample } from '../../src/samples/sample.ts'
import { END_OF_TIME } from '../../src/time.ts'
import { codeOf, stageContract } from '../contracts/stage.contract.ts'
import { plainSample } from './plain-sample.ts'

function sampleAt(
  maturedAt: number,
  fields: Sample['fields'] = {},
  given: Partial<Sample> = {},
): Sample {
  const id = `s${maturedAt}`
  return plainSample({ id, time: maturedAt - 1, maturedAt, fields, weight: 0.5, ...given })
}

function times(batches: readonly MiniBatch[]): number[][] {
  return batches.map((batch) => batch.map((sample) => sample.maturedAt))
}

function push(batcher: MiniBatcher, ...maturedAt: number[]): number[][] {
  return times(batcher.push(maturedAt.map((time) => sampleAt(time))))
}

describe('the mini-batcher', () => {
  it('gives a batch as soon as it has the count', () => {
    const batcher = new MiniBatcher({ count: 2 })
    expect(push(batcher, 1)).toEqual([])
    expect(push(batcher, 2, 3, 4, 5)).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(batcher.waiting).toBe(1)
    expect(times(batcher.advance(1_000_000))).toEqual([])
    expect(times(batcher.flush())).toEqual([[5]])
    expect(batcher.flush()).toEqual([])
  })

  it('counts only the samples that teach; the others ride along', () => {
    const batcher = new MiniBatcher({ count: 2 })
    const roles = ['opened', 'provisional', 'matured', 'late-positive', 'final'] as const
    const rows = roles.map((role, n) => sampleAt(n, {}, { role }))
    expect(times(batcher.push(rows))).toEqual([[0, 1, 2, 3]])
    const restored = new MiniBatcher({ count: 2 })
    restored.restore(batcher.snapshot())
    expect(times(restored.push([sampleAt(9)]))).toEqual([[4, 9]])
  })

  it('gives a batch when event time leaves its slice, by the next sample or by the watermark', () => {
    const bySample = new MiniBatcher({ everyMs: 10 })
    expect(push(bySample, 11, 19, 20, 45)).toEqual([[11, 19], [20]])
    const byWatermark = new MiniBatcher({ everyMs: 10 })
    expect(push(byWatermark, 11, 19)).toEqual([])
    expect(times(byWatermark.advance(19.5))).toEqual([])
    expect(times(byWatermark.advance(20))).toEqual([[11, 19]])
    expect(byWatermark.advance(30)).toEqual([])
  })

  it('gives a batch at whichever comes first of count and time', () => {
    const batcher = new MiniBatcher({ count: 2, everyMs: 10 })
    expect(push(batcher, 1, 2, 3, 11)).toEqual([[1, 2], [3]])
  })

  it('refuses to be made without a count and a time', () => {
    expect(codeOf(() => new MiniBatcher({}))).toBe('BAD_SETTINGS')
  })

  it('keeps the fields of waiting samples over a restart', () => {
    const fields = { user: 'u', tags: ['a', 'b'], at: { hour: 3 }, blob: Uint8Array.of(1, 2) }
    const batcher = new MiniBatcher({ count: 2 })
    batcher.push([sampleAt(1, fields)])
    const restored = new MiniBatcher({ count: 2 })
    restored.restore(batcher.snapshot())
    expect(restored.flush()).toEqual([[sampleAt(1, fields)]])
  })

  it('makes the same batches whenever the watermark is told', () => {
    fc.assert(
      fc.property(options, rising, fc.array(fc.boolean()), (given, maturedAt, told) => {
        const [often, never] = [new MiniBatcher(given), new MiniBatcher(given)]
        const batches: MiniBatch[] = []
        for (const [n, time] of maturedAt.entries()) {
          if (told[n] === true) batches.push(...often.advance(time))
          batches.push(...often.push([sampleAt(time)]))
        }
        const all = never.push(maturedAt.map((time) => sampleAt(time)))
        expect(times([...batches, ...often.advance(END_OF_TIME)])).toEqual(
          times([...all, ...never.flush()]),
        )
      }),
    )
  })
})

const rising = fc.array(fc.integer({ min: 1, max: 60 })).map((drawn) => drawn.sort((a, b) => a - b))
const options = fc.constantFrom({ count: 3 }, { everyMs: 7 }, { count: 4, everyMs: 20 })

stageContract({
  name: 'the mini-batcher',
  histories: fc.tuple(options, rising).map(([given, maturedAt]) => ({
    make: () => new MiniBatcher(given),
    inputs: maturedAt.map((time) => sampleAt(time, { time })),
  })),
  feed: (batcher, samples) => ({ batches: batcher.push(samples) }),
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Deduplicator } from '../../src/events/deduplicate.ts'
import { codeOf, stageContract } from '../contracts/stage.contract.ts'

describe('de-duplication', () => {
  it('finds the second delivery of an id on the same input only', () => {
    const ids = new Deduplicator(2, { withinMs: 100, maxIds: 10 })
    expect(ids.isNew(0, 'a', 1)).toBe(true)
    expect(ids.isNew(0, 'a', 1)).toBe(false)
    expect(ids.isNew(1, 'a', 1)).toBe(true)
  })

  it('forgets an id when its input has moved on by more than the time to remember', () => {
    const ids = new Deduplicator(2, { withinMs: 100, maxIds: 10 })
    ids.isNew(0, 'a', 1)
    ids.isNew(1, 'b', 5000)
    ids.isNew(0, 'b', 101)
    expect(ids.isNew(0, 'a', 1)).toBe(false)
    ids.isNew(0, 'c', 102)
    expect(ids.isNew(0, 'a', 1)).toBe(true)
  })

  it('remembers no more ids than it may, the latest arrivals', () => {
    const ids = new Deduplicator(1, { withinMs: 100, maxIds: 2 })
    for (const id of ['a', 'b', 'c']) ids.isNew(0, id, 1)
    expect(ids.size).toBe(2)
    expect(ids.isNew(0, 'b', 1)).toBe(false)
    expect(ids.isNew(0, 'a', 1)).toBe(true)
  })

  it('lets a duplicate change nothing, not even the clock', () => {
    const ids = new Deduplicator(1, { withinMs: 100, maxIds: 10 })
    ids.isNew(0, 'a', 1)
    const before = ids.snapshot()
    ids.isNew(0, 'a', 1_000_000)
    expect(ids.snapshot()).toEqual(before)
  })

  it('refuses an input that does not exist and the state of another number of inputs', () => {
    const ids = new Deduplicator(1, { withinMs: 100, maxIds: 10 })
    expect(codeOf(() => ids.isNew(1, 'a', 1))).toBe('BAD_STATE')
    expect(codeOf(() => ids.restore(new Deduplicator(2, limits).snapshot()))).toBe('CORRUPT')
  })

  it('agrees with a list of everything that is remembered, over growth and long wear', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.constantFrom(1, 3, 64, 65, 5000),
        fc.constantFrom(0, 10, 300),
        (seed, maxIds, withinMs) => {
          const ids = new Deduplicator(1, { withinMs, maxIds })
          const wrong: string[] = []
          let remembered: { id: string; time: number }[] = []
          let newest = 0
          for (let n = 0; n < 1500; n++) {
            const draw = Math.imul(seed + n, 0x9e3779b1) >>> 0
            const id = `event-${draw % 700}`
            const time = n + ((draw >>> 12) % 40)
            const isNew = !remembered.some((one) => one.id === id)
            if (ids.isNew(0, id, time) !== isNew) wrong.push(`${n}: ${id}`)
            if (!isNew) continue
            newest = Math.max(newest, time)
            remembered.push({ id, time })
            const horizon = newest - withinMs
            while ((remembered[0]?.time ?? horizon) < horizon || remembered.length > maxIds) {
              remembered = remembered.slice(1)
            }
          }
          expect(wrong).toEqual([])
          expect(ids.size).toBe(remembered.length)
        },
      ),
      { numRuns: 30 },
    )
  })
})

const limits = { withinMs: 12, maxIds: 20 }

stageContract({
  name: 'de-duplication',
  histories: fc
    .array(fc.record({ input: fc.nat(1), id: fc.nat(30), time: fc.integer({ min: 1, max: 40 }) }))
    .map((inputs) => ({ make: () => new Deduplicator(2, limits), inputs })),
  feed: (ids, events) => ({
    isNew: events.map(({ input, id, time }) => ids.isNew(input, `id ${id}`, time)),
  }),
})

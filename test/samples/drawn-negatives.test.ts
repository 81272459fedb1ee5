import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { amongDrawn, DrawnNegatives, type DrawOptions } from '../../src/samples/drawn-negatives.ts'
import type { Sample } from '../../src/samples/sample.ts'
import { correctedCrossEntropy } from '../../src/train/corrected-loss.ts'
import { stageContract } from '../contracts/stage.contract.ts'
import { plainSample } from './plain-sample.ts'

const options: DrawOptions = { perAction: 2, ofLast: 4, itemFields: ['item', 'color'], seed: 1 }

/** The first action of user `u` on an item. */
function action(id: string, item: string, labels = [1, 0]): Sample {
  return plainSample({
    id,
    key: `u\u0000${item}`,
    fields: { user: 'u', item, color: `color of ${item}` },
    labels: Float32Array.from(labels),
  })
}

describe('drawn negatives', () => {
  it('stand behind the action that they are drawn for, with the fields of their own item and no known label', () => {
    const draw = new DrawnNegatives(options)
    const [first] = draw.draw([action('a', 'x')])
    // Nobody acted on x before, so it cannot be drawn, and its odds are not known.
    expect(first).toMatchObject({ role: 'final', learned: Uint8Array.of(0, 0) })
    const [row, ...drawn] = draw.draw([action('b', 'y')])
    expect(row?.learned).toEqual(Uint8Array.of(0, 0))
    expect(drawn.map(({ role, id, fields }) => ({ role, id, fields }))).toEqual(
      [0, 1].map((n) => ({
        role: 'drawn',
        id: `b#${n}`,
        fields: { user: 'u', item: 'x', color: 'color of x' },
      })),
    )
    for (const one of drawn) {
      expect(one.labels).toEqual(Float32Array.of(0, 0))
      expect(one.mask).toEqual(Uint8Array.of(0, 0))
      expect(one.learned).toEqual(Uint8Array.of(1, 1))
      expect(one.logDrawRate).toBeCloseTo(Math.log(2))
    }
  })

  it('let an action teach its positives only, at the rate at which its item is drawn', () => {
    const draw = new DrawnNegatives(options)
    draw.draw([action('a', 'x'), action('b', 'y'), action('c', 'x')])
    const [row] = draw.draw([action('d', 'x', [0, 1])])
    expect(row?.learned).toEqual(Uint8Array.of(0, 1))
    expect(row?.mask).toEqual(Uint8Array.of(1, 1))
    expect(row?.logDrawRate).toBeCloseTo(Math.log((2 * 2) / 3))
  })

  it('are drawn as often as users acted on them of late, and no longer from what lies further back', () => {
    const draw = new DrawnNegatives({ ...options, perAction: 100 })
    draw.draw(['old', 'old', 'x', 'x', 'x', 'y'].map((item, n) => action(`a${n}`, item)))
    const drawn = Array.from({ length: 50 }, (_, n) => {
      const [, ...rows] = draw.draw([action(`b${n}`, n % 4 === 3 ? 'y' : 'x')])
      return rows.map(({ fields }) => fields.item)
    }).flat()
    const share = drawn.filter((item) => item === 'x').length / drawn.length
    expect(new Set(drawn)).toEqual(new Set(['x', 'y']))
    // Three of four at every moment: five standard deviations of a binomial share.
    expect(Math.abs(share - 0.75)).toBeLessThan(5 * Math.sqrt((0.75 * 0.25) / drawn.length))
  })

  it('leave the probability that the next action is on an item as the fixed point of the loss', () => {
    const p = 0.03
    const logDrawRate = Math.log(0.4)
    // One action of the user: its item with probability p, and .4 negatives of that item.
    const rows = {
      labels: Float64Array.of(1, 0),
      weights: Float64Array.of(p, 0.4),
      logDrawRates: Float32Array.of(logDrawRate, logDrawRate),
      latePositive: undefined,
      unpaired: undefined,
      realNegative: undefined,
      normalizer: 1,
    }
    const z = Math.log(p / (1 - p))
    const correction = { delay: 'fnc', logKeepRate: 0 } as const
    const { gradient } = correctedCrossEntropy(Float64Array.of(z, z), rows, correction)
    expect(gradient[0]! + gradient[1]!).toBeCloseTo(0, 8)
    expect(amongDrawn(p, logDrawRate)).toBeCloseTo(p / (p + 0.4))
  })
})

const drawnAction = fc.record({
  item: fc.constantFrom('x', 'y', 'z'),
  like: fc.constantFrom(0, 1),
})

stageContract({
  name: 'drawn negatives',
  histories: fc
    .record({
      ofLast: fc.integer({ min: 2, max: 6 }),
      all: fc.array(drawnAction, { maxLength: 20 }),
    })
    .map(({ ofLast, all }) => ({
      make: () => new DrawnNegatives({ ...options, ofLast }),
      inputs: all.map(({ item, like }, n) => action(`a${n}`, item, [1, like])),
    })),
  feed: (stage, inputs) => ({ rows: stage.draw(inputs) }),
})

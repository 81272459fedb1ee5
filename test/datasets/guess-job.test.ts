import { describe, expect, test } from 'vitest'
import { profileFields } from '../../src/datasets/field-profile.ts'
import { guessDelay, guessDisorder, roundUp } from '../../src/datasets/guess-delays.ts'
import { guessFeatures } from '../../src/datasets/guess-features.ts'
import {
  guessAnchor,
  guessKey,
  guessKind,
  guessKindField,
  guessPair,
  hitRate,
  kindName,
} from '../../src/datasets/guess-kinds.ts'

const NOON = Date.UTC(2026, 2, 2, 12)
const views = Array.from({ length: 200 }, (_, i) => ({
  id: `v${i}`,
  ts: (NOON + i * 1000) / 1000,
  customer: `c${i % 20}`,
  product: `p${i % 7}`,
  price: 2 ** (i % 12),
  stock: i,
  sale: i % 3 === 0,
  tags: i % 2 === 0 ? ['new'] : [],
  constant: 'x',
  was_bought: i % 2 === 0,
  nested: { a: 1 },
}))
const orders = views
  .filter((_, i) => i % 4 === 0)
  .map(({ id, ts, customer, product }) => ({ id: `o-${id}`, ts: ts + 90, customer, product }))

describe('the guesses of millrace init', () => {
  const view = guessKind('view', views)
  const order = guessKind('order', orders)

  test('find time, unit and id by their values', () => {
    expect([view.time, view.timeUnit, view.id]).toEqual(['ts', 's', 'id'])
    expect(profileFields([{ at: '2026-01-05T06:00:00Z' }])[0]).toMatchObject({
      time: 'iso',
      type: 'text',
    })
    expect(profileFields([{ at: NOON }])[0]?.time).toBe('ms')
    expect(profileFields([{ at: 7 }])[0]?.time).toBeUndefined()
  })

  test('rows without a time are an error that says what to give', () => {
    expect(() => guessKind('view', [{ id: 'a' }])).toThrow(
      expect.objectContaining({ code: 'BAD_INPUT', remedy: expect.stringContaining('ISO 8601') }),
    )
  })

  test('take the kind that shows things as the anchor, else the most frequent one', () => {
    expect(guessAnchor([order, view]).kind).toBe('view')
    const [more, fewer] = [guessKind('a', views), guessKind('b', orders)]
    expect(guessAnchor([fewer, more]).kind).toBe('a')
    expect(() => guessAnchor([view])).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }))
  })

  test('match by an id that both sides share, else by user and item, else say what is missing', () => {
    expect(guessKey(view, [order])).toEqual(['customer', 'product'])
    const withId = guessKind(
      'order',
      orders.map((row) => ({ ...row, id: row.id.slice(2) })),
    )
    expect(guessKey(view, [withId])).toBe('id')
    const bare = guessKind(
      'order',
      orders.map(({ ts }) => ({ ts })),
    )
    expect(guessPair(view, [withId])).toEqual(['customer', 'product'])
    expect(() => guessKey(view, [bare])).toThrow(/nothing tells to which view a order belongs/)
    expect(hitRate(view, [order], ['customer', 'product'])).toBe(1)
  })

  test('measure how long feedback takes and how far rows are out of order', () => {
    expect(guessDelay(view, order, ['customer', 'product'])).toMatchObject({ matched: 1 })
    const swapped = guessKind(
      'view',
      [views[3], views[0], views[5]].flatMap((row) => row ?? []),
    )
    expect(guessDisorder([swapped])).toBe(3000)
    expect([roundUp(0), roundUp(61_000), roundUp(1e9)]).toEqual([5000, 120_000, 1_209_600_000])
  })

  test('tell ids from numbers, and leave out what cannot or must not be a feature', () => {
    const guesses = guessFeatures(view, ['ts', 'id'], ['order'])
    const kinds = Object.fromEntries(guesses.map(({ field, kind }) => [field, kind]))
    expect(kinds).toEqual({
      customer: 'id',
      product: 'id',
      price: 'id',
      stock: 'number',
      sale: 'id',
      tags: 'ids',
      constant: 'none',
      was_bought: 'none',
      nested: 'none',
    })
  })

  test('find the field that says the kind, and make names fit for a job file', () => {
    expect(
      guessKindField([
        { type: 'a', x: 1 },
        { type: 'b', x: 1 },
      ]),
    ).toBe('type')
    expect(guessKindField([{ type: 'a' }])).toBeUndefined()
    expect(['Page View', '7 Likes!', '??'].map(kindName)).toEqual(['page_view', 'likes', 'event'])
  })
})

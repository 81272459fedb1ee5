import { expect, test } from 'vitest'
import { CATEGORIES, Catalogue, TAG_COUNT } from '../../src/world/catalogue.ts'
import { worldOptions } from '../../src/world/world-options.ts'

const options = worldOptions.parse({ seed: 4 })
const HOUR = 3_600_000
const slots = Array.from({ length: options.items }, (_, slot) => slot)
const itemsAt = (catalogue: Catalogue, hours: number) =>
  slots.map((slot) => catalogue.itemAt(slot, options.start_ms + hours * HOUR))

test('items retire and new ones take their place while the run goes on', () => {
  const catalogue = new Catalogue(options)
  const first = new Set(itemsAt(catalogue, 0).map(({ id }) => id))
  expect(first.size).toBe(options.items)
  const later = itemsAt(catalogue, 8).map(({ id }) => id)
  const stayed = later.filter((id) => first.has(id)).length
  expect(stayed).toBeLessThan(0.1 * options.items)
})

test('an item is the same whenever and in whatever order one asks for it', () => {
  const forwards = new Catalogue(options)
  const there = [itemsAt(forwards, 0), itemsAt(forwards, 3), itemsAt(forwards, 0)]
  const backwards = new Catalogue(options)
  expect(itemsAt(backwards, 3)).toEqual(there[1])
  expect(itemsAt(backwards, 0)).toEqual(there[0])
  expect(there[2]).toEqual(there[0])
})

test('an item is on show from its birth on, with one to three tags of the vocabulary', () => {
  for (const item of itemsAt(new Catalogue(options), 5)) {
    expect(item.bornMs).toBeLessThanOrEqual(options.start_ms + 5 * HOUR)
    expect(item.bornMs).toBeGreaterThan(options.start_ms - 8 * HOUR)
    expect(item.category).toBeLessThan(CATEGORIES.length)
    expect(item.author).toBeLessThan(options.authors)
    expect([1, 2, 3]).toContain(item.tags.length)
    expect(new Set(item.tags).size).toBe(item.tags.length)
    expect(Math.max(...item.tags)).toBeLessThan(TAG_COUNT)
  }
})

import { describe, expect, it } from 'vitest'
import { eventsOptions } from '../../src/events/options.ts'

const impression = { kind: 'impression', topic: 'impressions', schema: 'a.avsc', anchor: true }
const click = { kind: 'click', topic: 'clicks', schema: 'b.avsc' }

/** The messages of all complaints, with their paths. */
function complaints(events: unknown): string[] {
  const result = eventsOptions.safeParse(events)
  return (result.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`)
}

describe('the events section of a job', () => {
  it('needs no more than kinds, topics, schemas and an anchor', () => {
    expect(eventsOptions.parse({ kinds: [impression, click] })).toMatchObject({
      latenessMs: 60_000,
      idleMs: 30_000,
      dedupe: { withinMs: 3_600_000, maxIds: 1_000_000 },
      kinds: [
        { kind: 'impression', anchor: true, key: 'impression_id', id: 'event_id', timeUnit: 'ms' },
        { kind: 'click', anchor: false, label: { field: undefined, atLeast: undefined } },
      ],
    })
  })

  it('takes kinds with their own names and fields', () => {
    const key = ['viewer', 'post']
    const follow = {
      ...{ kind: 'follow', topic: 'follows', schema: 'f.avsc', key, id: 'uuid' },
      ...{ time: 'created', time_unit: 'iso', label: { field: 'strength', at_least: 2 } },
    }
    const { kinds } = eventsOptions.parse({ kinds: [{ ...impression, key }, follow] })
    expect(kinds[1]).toMatchObject({
      key,
      timeUnit: 'iso',
      label: { field: 'strength', atLeast: 2 },
    })
  })

  it('complains about kinds that do not fit together, each at its place', () => {
    expect(complaints({ kinds: [impression, click, click] })).toEqual([
      'kinds.2.kind: a second kind named click',
      'kinds.2.topic: clicks already carries another kind',
    ])
    expect(complaints({ kinds: [impression, { ...click, key: ['user', 'item'] }] })).toEqual([
      'kinds.0.key: every kind is keyed by an impression id, or every kind by a pair',
    ])
    expect(complaints({ kinds: [{ ...impression, label: { field: 'x' } }, click] })).toEqual([
      'kinds.0.label: an anchor opens samples and labels none',
    ])
    expect(complaints({ kinds: [{ ...impression, anchor: false }, click] })).toEqual([
      'kinds: one kind must be the anchor: true, or, without impressions, every kind has the same two fields as its key',
    ])
  })

  it('takes kinds without an anchor where all are keyed by one pair of fields', () => {
    const key = ['user', 'item']
    const like = { ...click, kind: 'like', topic: 'likes' }
    expect(complaints({ kinds: [{ ...click, key }] })).toEqual([])
    expect(
      complaints({
        kinds: [
          { ...click, key },
          { ...like, key: ['user', 'post'] },
        ],
      }),
    ).toEqual([
      'kinds: one kind must be the anchor: true, or, without impressions, every kind has the same two fields as its key',
    ])
    expect(complaints({ kinds: [impression] })).toEqual([
      'kinds: impressions need a kind of feedback beside them',
    ])
  })

  it('takes one kind of tombstones beside the others, keyed by the user alone', () => {
    const erasure = {
      kind: 'erasure',
      topic: 'erasures',
      schema: 'e.avsc',
      key: 'who',
      erases: 'user',
    }
    const pair = { key: ['user', 'item'] }
    expect(
      complaints({ kinds: [{ ...impression, ...pair }, { ...click, ...pair }, erasure] }),
    ).toEqual([])
    expect(complaints({ kinds: [impression, erasure] })).toEqual([
      'kinds: impressions need a kind of feedback beside them',
    ])
    const wrong = { ...erasure, key: ['user', 'item'], anchor: true }
    const second = { ...erasure, kind: 'second', topic: 'seconds' }
    expect(complaints({ kinds: [impression, click, wrong, second] })).toEqual([
      'kinds.2.key: a tombstone has one key field, the user',
      'kinds.2: a tombstone neither opens nor labels samples',
      'kinds: only one kind may be of tombstones',
    ])
  })

  it('complains about a kind that would be mistaken for a dead letter', () => {
    expect(complaints({ kinds: [impression, { ...click, kind: 'malformed' }] })).toEqual([
      "kinds.1.kind: 'malformed' names what is no event",
    ])
  })

  it('complains about a memory too short to tell duplicates from late events, and a bare threshold', () => {
    const kinds = [impression, click]
    const dedupe = { within_ms: 1000 }
    expect(complaints({ kinds, lateness_ms: 1001, dedupe })).toEqual([
      'dedupe.within_ms: at least lateness_ms, or a duplicate that is not late can pass',
    ])
    expect(complaints({ kinds: [impression, { ...click, label: { at_least: 2 } }] })).toEqual([
      'kinds.1.label: at_least needs the field that it is compared with',
    ])
  })
})

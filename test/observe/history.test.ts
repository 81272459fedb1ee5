import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { History, SPANS } from '../../src/observe/history.ts'
import { historyPoint } from '../../src/observe/history-point.ts'
import { statusOf } from './reports.ts'

const SHORT = [{ name: 'short', everyMs: 1000, points: 3 }]
const NOON = Date.UTC(2026, 2, 2, 12)

describe('History', () => {
  test('keeps one point per step, the mean of what was recorded in it, the step under way included', () => {
    const history = new History(SHORT)
    history.record(NOON, { auc: 0.5 })
    history.record(NOON + 400, { auc: 0.7 })
    history.record(NOON + 1000, { auc: 0.75, lag: 3 })
    expect(history.span('short')).toEqual({
      times: [NOON, NOON + 1000],
      series: { auc: [0.6, 0.75], lag: [null, 3] },
    })
  })

  test('forgets what is older than the span, and needs no more memory however long it runs', () => {
    const history = new History(SHORT)
    for (let second = 0; second < 1000; second++)
      history.record(NOON + second * 1000, { a: second })
    expect(history.span('short').series.a).toEqual([996, 997, 998, 999])
  })

  test('leaves out what is not a number, and series beyond the bound', () => {
    const history = new History(SHORT)
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`s${i}`, i]))
    history.record(NOON, { lost: Number.NaN, far: Number.POSITIVE_INFINITY, ...many })
    const { series } = history.span('short')
    expect(series).not.toHaveProperty('lost')
    expect(Object.keys(series)).toHaveLength(300)
  })

  test('a clock that goes back does not disturb the order of time', () => {
    const history = new History(SHORT)
    for (const second of [5, 3, 6, 1]) history.record(NOON + second * 1000, { a: second })
    expect(history.span('short').times).toEqual([NOON + 5000, NOON + 6000])
  })

  test('comes back as it was after a save, and goes on', () => {
    const history = new History()
    for (let second = 0; second < 300; second++) history.record(NOON + second * 1000, { a: second })
    const restored = new History()
    restored.load(JSON.parse(JSON.stringify(history.save())))
    restored.record(NOON + 300_000, { a: 300 })
    expect(restored.span('10m').times).toHaveLength(300)
    expect(restored.span('10m').series.a?.at(-1)).toBe(300)
    expect(restored.spans).toEqual(SPANS.map(({ name }) => name))
  })

  test('whatever the file holds, loading it does not fail', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const history = new History()
        history.load(JSON.parse(text))
        history.record(NOON, { a: 1 })
        expect(history.span('10m').series.a).toEqual([1])
      }),
    )
  })

  test('an unknown span is a USAGE error that names the known ones', () => {
    expect(() => new History().span('1y')).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })
})

test('a status becomes one flat point; a figure without a value is left out', () => {
  expect(historyPoint(statusOf())).toMatchObject({
    events_per_second: 5120.4,
    lag_records: 42,
    version_age_seconds: 4,
    rows: 1000,
    'auc/click': 0.71234,
    'delayed_auc/click': 0.7,
    'weight/like': 0.5,
    'cosine/click/like': -0.25,
    'gate/gate.task.0/0': 0.75,
  })
  expect(historyPoint(statusOf())).not.toHaveProperty('auc/like')
})

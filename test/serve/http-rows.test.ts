/** @file Bodies of requests to score: rows as the encoder reads them, or a fault that names the row and the field. */

import { describe, expect, test } from 'vitest'
import { FeatureEncoder } from '../../src/features/encode.ts'
import { featureListOptions } from '../../src/features/feature-options.ts'
import { compileFeatures } from '../../src/features/feature-spec.ts'
import { RowReader } from '../../src/serve/http-rows.ts'

const spec = compileFeatures(
  featureListOptions.parse([
    { name: 'user', kind: 'id', from: 'user_id' },
    { name: 'tags', kind: 'ids', from: ['tags', 'topics'] },
    { name: 'age', kind: 'number' },
    { name: 'price', kind: 'bucket', log2: 1 },
    { name: 'hour', kind: 'hour' },
    { name: 'user_hour', kind: 'cross', of: ['user', 'hour'] },
  ]),
)
const reader = new RowReader(spec, { maxRows: 4, timeField: 'event_time' })

const good = {
  user_id: 'u1',
  tags: ['a', 7, null],
  topics: 'x,y',
  age: 3.5,
  price: true,
  event_time: 1_772_431_200_000,
  nobody_reads_this: { deep: [] },
}

const faultOf = (changes: object) => reader.read({ rows: [good, { ...good, ...changes }] })

describe('RowReader', () => {
  test('gives the rows with their event time, fields untouched', () => {
    expect(reader.read({ rows: [good] })).toEqual({
      kind: 'rows',
      rows: [{ fields: good, time: good.event_time }],
    })
    expect(reader.read({ rows: [] })).toEqual({ kind: 'rows', rows: [] })
  })

  test('absent, null and empty fields are legal: the trainer has keys for them', () => {
    const bare = { event_time: 0 }
    const empty = { user_id: '', tags: [], topics: null, age: null, price: '', event_time: -1 }
    expect(reader.read({ rows: [bare, empty] })).toMatchObject({ kind: 'rows' })
  })

  test.each([
    [{ event_time: undefined }, 'rows[1].event_time is missing'],
    [{ event_time: '2026-03-02' }, 'rows[1].event_time is "2026-03-02", must be the event time'],
    [{ event_time: 1e300 }, 'rows[1].event_time is 1e+300'],
    [{ user_id: { id: 'u1' } }, 'rows[1].user_id is an object, must be a text'],
    [{ user_id: ['u1'] }, 'rows[1].user_id is a list, must be a text'],
    [{ user_id: 2 ** 53 }, 'rows[1].user_id is 9007199254740992'],
    [{ tags: ['a', {}] }, 'rows[1].tags is a list, must be a text, a boolean or a number'],
    [{ topics: [['a']] }, 'rows[1].topics is a list, must be'],
    [{ age: '12' }, 'rows[1].age is "12", must be a number'],
    [{ age: 1e101 }, 'rows[1].age is 1e+101'],
    [{ price: 'dear' }, 'rows[1].price is "dear", must be a number'],
    [{ age: 'x'.repeat(1000) }, `rows[1].age is "${'x'.repeat(59)}..., must be`],
  ])('%j is a fault that says where', (changes, message) => {
    const read = faultOf(changes)
    expect(read).toMatchObject({ kind: 'fault', status: 400 })
    expect(read).toHaveProperty('message', expect.stringContaining(message))
  })

  test.each([[undefined], [null], [[]], ['rows'], [{}], [{ rows: {} }], [{ rows: 'x' }]])(
    'the body %j is no list of rows',
    (body) => {
      expect(reader.read(body)).toMatchObject({
        kind: 'fault',
        status: 400,
        message: expect.stringContaining('{"rows": '),
      })
    },
  )

  test.each([[null], [3], ['row'], [[good]]])('a row %j is no object', (row) => {
    expect(reader.read({ rows: [row] })).toMatchObject({
      message: expect.stringMatching(/^rows\[0\] is .*, must be an object$/),
    })
  })

  test('too many rows are refused before any is looked at', () => {
    expect(reader.read({ rows: Array.from({ length: 5 }, () => 'no row') })).toEqual({
      kind: 'fault',
      status: 413,
      message: '5 rows, at most 4 in one request',
    })
  })

  test('what it lets through, the encoder never counts as ill-typed', () => {
    const encoder = new FeatureEncoder(spec)
    const values = ['u1', '', null, 7, -0.5, true, 2 ** 53, '12', {}, [], ['a', 1], [{}], 1e300]
    let through = 0
    for (const field of ['user_id', 'tags', 'topics', 'age', 'price']) {
      for (const value of values) {
        const read = faultOf({ [field]: value })
        if (read.kind === 'rows') encoder.encode(read.rows)
        through += read.kind === 'rows' ? 1 : 0
      }
    }
    expect(through).toBeGreaterThan(20)
    expect(encoder.counts().filter(({ illTyped }) => illTyped > 0)).toEqual([])
  })
})

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { KUAIRAND_ACTIONS, type KuairandFiles, readKuairand } from '../../src/datasets/kuairand.ts'
import type { Delivery } from '../../src/delivery.ts'
import { AvroCodec } from '../../src/wire/avro-codec.ts'
import { loadSchema } from '../../src/wire/avro-schema.ts'
import { LOG_HEADER, logRow, START_MS, VIDEO_ROW, writeFiles } from './kuairand-files.ts'

const KINDS = ['impression', ...Object.values(KUAIRAND_ACTIONS)]

async function deliveriesOf(files: KuairandFiles): Promise<Delivery[]> {
  return [...(await readKuairand(files)).deliveries]
}

test('a row becomes an impression with what was known of user and video, and an event per action', async () => {
  const [impression, ...actions] = await deliveriesOf(
    writeFiles({ log: [logRow(7, 3, 60_000, ['is_click', 'is_like', 'long_view'])] }),
  )
  const timeMs = START_MS + 60_000
  const id = `7-3-${timeMs}`
  expect(impression?.value).toMatchObject({
    event_id: id,
    impression_id: id,
    user_id: '7',
    video_id: '3',
    event_time: timeMs,
    tab: '1',
    duration_ms: 10_000,
    author_id: '900',
    music_type: '9',
    tags: ['20', '67'],
    follow_user_num_range: '(0,10]',
    onehot_feat4: '5',
    onehot_feat5: null,
  })
  expect(impression?.value.video_age_days).toBeCloseTo(2 + 1 / 1440, 9)
  expect(new TextDecoder().decode(impression?.key)).toBe(id)
  expect(actions.map(({ kind }) => kind).sort()).toEqual(['click', 'like', 'long_view'])
  for (const { kind, value, key, timestampMs } of actions) {
    expect(new TextDecoder().decode(key)).toBe(id)
    expect(value).toEqual({
      event_id: `${id}-${kind}`,
      impression_id: id,
      user_id: '7',
      video_id: '3',
      event_time: timestampMs,
    })
  }
})

test('no outcome is a field of the impression, in the value or in the schema', async () => {
  const [impression] = await deliveriesOf(writeFiles({ log: [logRow(7, 3, 0, ['is_click'])] }))
  const outcomes = LOG_HEADER.split(',').filter(
    (name) => name.startsWith('is_') || name === 'long_view' || /play_time|stay_time/.test(name),
  )
  const schema = loadSchema('examples/kuairand/schemas/impression.avsc')
  const names = [...Object.keys(impression?.value ?? {}), ...schema.fields.map(({ name }) => name)]
  expect(outcomes.length).toBe(12)
  expect(names.filter((name) => outcomes.includes(name))).toEqual([])
})

test('every kind is written by its schema and read back as it was', async () => {
  const log = [logRow(7, 3, 0, Object.keys(KUAIRAND_ACTIONS)), logRow(8, 4, 5)]
  const deliveries = await deliveriesOf(writeFiles({ log }))
  expect(new Set(deliveries.map(({ kind }) => kind))).toEqual(new Set(KINDS))
  for (const { kind, value } of deliveries) {
    const codec = new AvroCodec({ schema: loadSchema(`examples/kuairand/schemas/${kind}.avsc`) })
    expect(codec.decode(codec.encode(value))).toMatchObject({ kind: 'value', value })
  }
})

test('every field of every schema says what it is', () => {
  for (const kind of KINDS) {
    const schema = loadSchema(`examples/kuairand/schemas/${kind}.avsc`)
    const { fields } = JSON.parse(JSON.stringify(schema.type.schema({ exportAttrs: true })))
    expect(fields.filter(({ doc }: { doc?: string }) => !doc)).toEqual([])
  }
})

test('events come by event time, an impression before actions of the same moment, whatever the order of the rows', async () => {
  const rows = [0, 500, 1_000, 1_500, 2_000, 2_500].map((at) =>
    logRow(7, 3, at, ['is_click', 'long_view'], 1_500),
  )
  const sorted = await deliveriesOf(writeFiles({ log: rows }))
  const shuffled = await deliveriesOf(writeFiles({ log: rows.toReversed() }))
  expect(shuffled).toEqual(sorted)
  const times = sorted.map(({ timestampMs }) => timestampMs)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  const at1500 = sorted.filter(({ timestampMs }) => timestampMs === START_MS + 1_500)
  expect(at1500.map(({ kind }) => kind)).toEqual(['impression', 'long_view'])
})

test('a repeated row repeats its events with the same ids and times', async () => {
  const row = logRow(7, 3, 0, ['is_click', 'is_comment'])
  const deliveries = await deliveriesOf(writeFiles({ log: [row, row] }))
  expect(deliveries.length).toBe(6)
  expect(new Set(deliveries.map(({ value }) => JSON.stringify(value))).size).toBe(3)
})

test('unknown users and videos leave their fields out', async () => {
  const [impression] = await deliveriesOf(writeFiles({ log: [logRow(1, 2, 0)] }))
  expect(impression?.value).toEqual({
    event_id: `1-2-${START_MS}`,
    impression_id: `1-2-${START_MS}`,
    user_id: '1',
    video_id: '2',
    event_time: START_MS,
    tab: '1',
    duration_ms: 10_000,
    video_age_days: null,
  })
})

test('gzip files give the same as plain ones', async () => {
  const log = [logRow(7, 3, 0, ['is_click'])]
  expect(await deliveriesOf(writeFiles({ log }, true))).toEqual(
    await deliveriesOf(writeFiles({ log })),
  )
})

test('bad rows are counted with file and line, the rest is read', async () => {
  const good = logRow(7, 3, 0)
  const files = writeFiles({
    log: [good, '1,2,3', good.replace('7,3', '7,three'), good.replace(/,1$/, ',1.5'), good],
    videos: ['x,900', VIDEO_ROW],
  })
  const { rows, badRows } = await readKuairand(files)
  expect(rows).toBe(2)
  expect(badRows).toEqual([
    { file: files.videos, line: 2, reason: '2 columns instead of 12' },
    { file: files.log, line: 3, reason: '3 columns instead of 19' },
    { file: files.log, line: 4, reason: 'video_id is "three", not a whole number' },
    { file: files.log, line: 5, reason: 'tab is "1.5", not a whole number' },
  ])
})

test('an outcome that is neither 0 nor 1 is a bad row', async () => {
  const cells = logRow(7, 3, 0).split(',')
  cells[LOG_HEADER.split(',').indexOf('is_like')] = '2'
  const { badRows } = await readKuairand(writeFiles({ log: [cells.join(',')] }))
  expect(badRows.map(({ reason }) => reason)).toEqual(['is_like is "2", neither 0 nor 1'])
})

test('a missing file is named, and where to get one', async () => {
  const files = { ...writeFiles({ log: [] }), log: '/nowhere/log.csv.gz' }
  await expect(readKuairand(files)).rejects.toMatchObject({
    code: 'IO',
    message: expect.stringContaining('/nowhere/log.csv.gz'),
    remedy: expect.stringContaining('https://kuairand.com'),
  })
})

test('a wrong header is shown beside the right one', async () => {
  const files = writeFiles({ log: [] })
  await expect(readKuairand({ ...files, log: files.videos })).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringMatching(
      /header is "video_id,author_id.*expected "user_id,video_id,date/,
    ),
    remedy: expect.stringContaining('KuaiRand'),
  })
  writeFileSync(files.users, '')
  await expect(readKuairand(files)).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringContaining('header is nothing'),
  })
})

const folder = process.env.KUAIRAND_DIR ?? '../shared/data/kuairand'
const real = {
  log: join(folder, 'log_standard_0425_0430.csv.gz'),
  users: join(folder, 'user_features_pure.csv.gz'),
  videos: join(folder, 'video_features_basic_pure.csv.gz'),
}
const isThere = Object.values(real).every((file) => existsSync(file))
if (!isThere)
  console.warn(`NOT RUN: no KuaiRand files in ${folder}; set KUAIRAND_DIR to test with them`)

test('the real files are there where the tests must be complete', () => {
  expect(isThere || process.env.CI === undefined).toBe(true)
})

test.runIf(isThere)(
  'the real log has 94,784 impressions, 2,979 of them repeats, and no bad row',
  async () => {
    const { rows, badRows, deliveries } = await readKuairand(real)
    const counts = new Map<string, number>()
    const ids = new Map<string, Set<unknown>>()
    let lastMs = 0
    let backwards = 0
    for (const { kind, value, timestampMs } of deliveries) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
      ids.set(kind, (ids.get(kind) ?? new Set()).add(value.event_id))
      if (timestampMs < lastMs) backwards++
      lastMs = timestampMs
    }
    expect(badRows).toEqual([])
    expect(rows).toBe(94_784)
    expect(backwards).toBe(0)
    expect(Object.fromEntries(counts)).toEqual({
      impression: 94_784,
      click: 41_503,
      like: 1_625,
      follow: 128,
      comment: 220,
      share: 76,
      long_view: 29_123,
    })
    expect(94_784 - (ids.get('impression')?.size ?? 0)).toBe(2_979)
    expect(ids.get('like')?.size).toBe(1_602)
  },
)

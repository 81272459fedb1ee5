import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { formatBytes, formatSeconds, formatTime } from '../../src/observe/format.ts'
import { renderStatus, terminalProgress, wantsColor } from '../../src/observe/progress.ts'
import { type RunReport, runReport } from '../../src/observe/run-report.ts'
import { renderReport } from '../../src/observe/table.ts'
import { accountingOf, qualityOf, statusOf, taskQuality } from './reports.ts'

const PLAIN = { color: false }
const ESCAPE = '\u001b['

describe('renderStatus', () => {
  test('shows pace, quality per task, version, lag and where the page is', () => {
    expect(renderStatus(statusOf(), PLAIN).split('\n')).toEqual([
      'millrace simulated  engine plain',
      '5,120 events/s · 4,100 samples/s · 123,456 events · 100,000 samples',
      '  click  AUC 0.7123  calibration 1.0200  NE 0.8600',
      '  like   AUC -  calibration 1.0200  NE 0.8600',
      'version 12 (delta, 2.1 MB, 3.2 s after the event)',
      '42 records behind · watermark 2026-03-02 12:00:00Z',
      'page http://127.0.0.1:9464/',
    ])
  })

  test('before anything happened it says so instead of showing infinities', () => {
    const text = renderStatus(
      statusOf({
        watermark: Number.NEGATIVE_INFINITY,
        version: undefined,
        metricsUrl: undefined,
        tasks: [],
      }),
      PLAIN,
    )
    expect(text).toContain('no version published yet')
    expect(text).toContain('watermark -')
    expect(text).not.toMatch(/NaN|Infinity|undefined|page/)
  })

  test('uses colour only when asked to', () => {
    expect(renderStatus(statusOf(), PLAIN)).not.toContain(ESCAPE)
    expect(renderStatus(statusOf(), { color: true })).toContain(ESCAPE)
  })
})

test('colour needs a terminal, and NO_COLOR or a dumb terminal turns it off', () => {
  expect(wantsColor(true, {})).toBe(true)
  expect(wantsColor(false, {})).toBe(false)
  expect(wantsColor(true, { NO_COLOR: '1' })).toBe(false)
  expect(wantsColor(true, { NO_COLOR: '' })).toBe(true)
  expect(wantsColor(true, { TERM: 'dumb' })).toBe(false)
})

test('the live block is redrawn in place and stays on the screen when it is finished', () => {
  const written: string[] = []
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      written.push(String(chunk))
      done()
    },
  })
  const progress = terminalProgress(stream, PLAIN)
  progress.show(statusOf({ lagRecords: 42 }))
  progress.show(statusOf({ lagRecords: 7 }))
  progress.finish()
  const text = written.join('')
  expect(text).toContain('42 records behind')
  expect(text.lastIndexOf('7 records behind')).toBeGreaterThan(text.indexOf('42 records behind'))
  expect(text).toContain(ESCAPE)
})

describe('the report of a run', () => {
  const report: RunReport = runReport({
    predictions: [
      { task: 'click', ...qualityOf() },
      { task: 'like', ...qualityOf({ auc: undefined, positives: 0, calibrationRatio: undefined }) },
    ],
    delayed: [{ task: 'click', ...qualityOf({ auc: 0.7, samples: 2_000, positives: 400 }) }],
    accounting: [accountingOf('impression'), accountingOf('click')],
    drift: {
      totals: [
        { task: 'click', signal: 'loss', detector: 'adwin', alarms: 2 },
        { task: 'click', signal: 'label-rate', detector: 'adwin', alarms: 3 },
        { task: 'like', signal: 'label-rate', detector: 'page-hinkley', alarms: 1 },
      ],
      features: [
        { feature: 'user', psi: 0.312 },
        { feature: 'price', psi: undefined },
      ],
    },
    arms: [
      { arm: 'blue', learned: 900, leftOut: 0, tasks: [taskQuality('click', { auc: 0.72 })] },
      { arm: 'green', learned: 0, leftOut: 400, tasks: [] },
      { arm: 'unnamed', learned: 0, leftOut: 0, tasks: [] },
    ],
    versions: { published: 9, fulls: 1, deltas: 8 },
    engine: { name: 'plain', reason: 'asked for' },
    samples: 25_000,
    samplesPerSecond: 4100.7,
    stateSha256: 'ab'.repeat(32),
  })

  test('as JSON it has the promised names, null where a figure has no value', () => {
    expect(JSON.parse(JSON.stringify(report))).toEqual({
      tasks: {
        click: {
          auc: 0.71234,
          auc_interval: { low: expect.closeTo(0.7027, 4), high: expect.closeTo(0.722, 4) },
          logloss: 0.43,
          normalized_entropy: 0.86,
          calibration: 1.02,
          positives: 4000,
          samples: 20_000,
        },
        like: {
          auc: null,
          logloss: 0.43,
          normalized_entropy: 0.86,
          calibration: null,
          positives: 0,
          samples: 20_000,
        },
      },
      delayed: {
        click: {
          auc: 0.7,
          auc_interval: { low: expect.closeTo(0.6692, 4), high: expect.closeTo(0.7308, 4) },
          logloss: 0.43,
          normalized_entropy: 0.86,
          calibration: 1.02,
          positives: 400,
          samples: 2_000,
        },
      },
      accounting: { impressions: topicOf('impression'), clicks: topicOf('click') },
      drift: {
        alarms: expect.arrayContaining([
          { task: 'click', signal: 'loss', detector: 'adwin', alarms: 2 },
        ]),
        features: { user: 0.312, price: null },
      },
      arms: {
        blue: {
          learned: 900,
          left_out: 0,
          tasks: { click: expect.objectContaining({ auc: 0.72 }) },
        },
        green: { learned: 0, left_out: 400, tasks: {} },
        unnamed: { learned: 0, left_out: 0, tasks: {} },
      },
      versions: { published: 9, fulls: 1, deltas: 8 },
      engine: { name: 'plain', reason: 'asked for' },
      samples: 25_000,
      samples_per_second: 4100.7,
      state_sha256: 'ab'.repeat(32),
    })
  })

  test('in the accounting every topic goes up: in equals the sum of its places', () => {
    for (const topic of Object.values(report.accounting)) {
      const { joined, duplicates, late, orphans, dead_letters, open } = topic
      expect(joined + duplicates + late + orphans + dead_letters + open).toBe(topic.in)
    }
  })

  test('as a table it shows every figure, without colour unless asked', () => {
    const text = renderReport(report, PLAIN)
    const cells = text.split('\n').map((line) => line.split('│').map((cell) => cell.trim()))
    const like = cells.find((row) => row[1] === 'like')
    expect(like?.slice(1, -1)).toEqual(['like', '-', '-', '0.4300', '0.8600', '0', '20,000'])
    const [, delayed] = cells.filter((row) => row[1] === 'click')
    expect(delayed?.slice(2, 4)).toEqual(['0.7000', '1.0200'])
    expect(renderReport({ ...report, delayed: {} }, PLAIN)).not.toContain('opened')
    const clicks = cells.find((row) => row[1] === 'clicks')
    expect(clicks?.slice(1, -1)).toEqual(['clicks', '1,000', '900', '20', '8', '2', '5', '65'])
    expect(text).toContain('Arm blue: 900 samples learned from, 0 left out')
    expect(text).toContain('Arm green: 0 samples learned from, 400 left out')
    expect(text).not.toContain('unnamed')
    expect(text).toContain(
      '2 alarms of losses, 4 of label rates, features moved by up to 0.31 (PSI)',
    )
    expect(text).toContain('9 (1 full, 8 delta)')
    expect(text).toContain('25,000 (4,101/s)')
    expect(text).toContain('ab'.repeat(32))
    expect(text).not.toContain(ESCAPE)
    expect(renderReport(report, { color: true })).toContain(ESCAPE)
  })
})

function topicOf(kind: string) {
  return {
    kind,
    in: 1000,
    joined: 900,
    duplicates: 20,
    late: 8,
    orphans: 2,
    dead_letters: 5,
    erased: 0,
    open: 65,
    late_by_reason: { 'behind-watermark': 5, 'after-window': 3 },
    dead_letters_by_reason: { undecodable: 4, time: 1 },
  }
}

test('sizes, durations and times are written as people read them', () => {
  expect([0, 999, 1000, 2_150_000, 3e12].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '2.1 MB',
    '3000.0 GB',
  ])
  expect([0.25, 119, 120, 7200, 172_800].map(formatSeconds)).toEqual([
    '0.3 s',
    '119.0 s',
    '2.0 min',
    '2.0 h',
    '2.0 d',
  ])
  expect(formatTime(Number.POSITIVE_INFINITY)).toBe('-')
})

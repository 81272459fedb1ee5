import { expect, test } from 'vitest'
import { actionDelayMs } from '../../src/datasets/action-delays.ts'
import type { LogRow, Outcome } from '../../src/datasets/kuairand-tables.ts'

const row: LogRow = {
  userId: '7',
  videoId: '3',
  timeMs: 1_650_812_741_436,
  tab: '1',
  durationMs: 60_000,
  playTimeMs: 20_000,
  outcomes: [],
}

/** Delays of rows that differ in nothing but their time, in seconds, sorted. */
function delays(outcome: Outcome, count: number, playTimeMs = row.playTimeMs): number[] {
  return Array.from({ length: count }, (_, i) =>
    actionDelayMs({ ...row, playTimeMs, timeMs: row.timeMs + i * 977 }, outcome),
  )
    .map((ms) => ms / 1000)
    .sort((a, b) => a - b)
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(share * sorted.length)] ?? Number.NaN
}

test('the same row always draws the same, and its actions draw apart', () => {
  expect(actionDelayMs(row, 'is_comment')).toBe(actionDelayMs({ ...row }, 'is_comment'))
  const [a, b] = [actionDelayMs(row, 'is_comment'), actionDelayMs(row, 'is_follow')]
  expect(a).not.toBe(b)
})

test('clicks come evenly after 0.2 to 3 seconds', () => {
  const clicks = delays('is_click', 20_000)
  expect(at(clicks, 0)).toBeGreaterThanOrEqual(0.2)
  expect(clicks.at(-1)).toBeLessThanOrEqual(3)
  expect(at(clicks, 0.5)).toBeCloseTo(1.6, 1)
})

test('nine likes in ten come while the video plays, one from the measured tail', () => {
  const likes = delays('is_like', 20_000)
  // Of the tail, about one in seven is inside 4 to 19 seconds as well (p10 = 8 s, p25 = 24 s).
  const playing = likes.filter((seconds) => seconds >= 4 && seconds <= 19).length / likes.length
  expect(playing).toBeGreaterThan(0.9)
  expect(playing).toBeLessThan(0.93)
  expect(likes.at(-1)).toBeGreaterThan(3_600)
})

test.each([
  ['is_comment', { 0.1: 31, 0.25: 60, 0.5: 146, 0.75: 440, 0.9: 1_530, 0.95: 4_689, 0.99: 73_978 }],
  ['is_follow', { 0.1: 17, 0.25: 42, 0.5: 121, 0.75: 366, 0.9: 1_344, 0.95: 4_056, 0.99: 76_246 }],
  ['is_forward', { 0.1: 7, 0.25: 20, 0.5: 73, 0.75: 422, 0.9: 4_493, 0.95: 25_420, 0.99: 502_810 }],
] as const)('%s keeps the measured quantiles', (outcome, quantiles) => {
  const drawn = delays(outcome, 40_000)
  for (const [share, seconds] of Object.entries(quantiles)) {
    // Four standard deviations in the share, read back as a bracket of delays.
    const wide = 4 * Math.sqrt((Number(share) * (1 - Number(share))) / drawn.length)
    expect(at(drawn, Number(share) - wide)).toBeLessThanOrEqual(seconds)
    expect(at(drawn, Math.min(0.9999, Number(share) + wide))).toBeGreaterThanOrEqual(seconds)
  }
  expect(drawn[0]).toBeGreaterThanOrEqual(1)
})

test('a view becomes long at its end, at the end of the video, or after 18 seconds', () => {
  const longView = (playTimeMs: number, durationMs: number) =>
    actionDelayMs({ ...row, playTimeMs, durationMs }, 'long_view')
  expect(longView(5_000, 60_000)).toBe(5_000)
  expect(longView(30_000, 9_000)).toBe(9_000)
  expect(longView(30_000, 60_000)).toBe(18_000)
  expect(longView(7_000, 0)).toBe(7_000)
})

test('no action comes with its impression, even when nothing was played', () => {
  for (const seconds of [...delays('is_like', 500, 0), ...delays('long_view', 5, 0)]) {
    expect(seconds).toBeGreaterThanOrEqual(0.001)
  }
})

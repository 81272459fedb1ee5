/** @file Numbers as people read them on a terminal; absent figures are a dash. */

import type { EventTime } from '../time.ts'

/** What stands where a figure has no value. */
export const NO_VALUE = '-'

/** `1,234,567`; fractions are rounded away. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** `1 row`, `2,000 rows`. */
export function countOf(value: number, noun: string): string {
  return `${formatCount(value)} ${noun}${value === 1 ? '' : 's'}`
}

/** Four decimals, the precision at which quality figures differ. */
export function formatFigure(value: number | undefined): string {
  return value === undefined ? NO_VALUE : value.toFixed(4)
}

/** `2.1 MB`, in powers of 1000. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** `12.3 s`, or minutes, hours and days once these are shorter to read. */
export function formatSeconds(seconds: number): string {
  if (seconds < 120) return `${seconds.toFixed(1)} s`
  if (seconds < 7200) return `${(seconds / 60).toFixed(1)} min`
  return seconds < 172_800
    ? `${(seconds / 3600).toFixed(1)} h`
    : `${(seconds / 86_400).toFixed(1)} d`
}

/** `2026-03-02 06:00:00Z`; a dash before the first and after the last event. */
export function formatTime(time: EventTime): string {
  if (!Number.isFinite(time)) return NO_VALUE
  return new Date(time)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z')
}

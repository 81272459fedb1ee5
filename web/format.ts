/** @file Numbers as the page shows them; a figure without a value is a dash. */

const NONE = '–'

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

type Maybe = number | null | undefined

/** `1,234`. */
export function count(value: Maybe): string {
  return isNumber(value) ? whole.format(value) : NONE
}

/** `1.2K`: for axes and tiles. */
export function compact(value: Maybe): string {
  if (!isNumber(value)) return NONE
  return Math.abs(value) < 10 && !Number.isInteger(value) ? value.toFixed(1) : short.format(value)
}

/** Four decimals, the precision at which quality figures differ. */
export function figure(value: Maybe): string {
  return isNumber(value) ? value.toFixed(4) : NONE
}

/** `12.3 %`. */
export function percent(value: Maybe): string {
  if (!isNumber(value)) return NONE
  const digits = value !== 0 && Math.abs(value) < 0.01 ? 2 : 1
  return `${(100 * value).toFixed(digits)} %`
}

/** `12.3 s`, `4.2 min`, `3.1 h`. */
export function duration(seconds: Maybe): string {
  if (!isNumber(seconds)) return NONE
  if (seconds < 100) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  if (seconds < 6000) return `${(seconds / 60).toFixed(1)} min`
  return seconds < 172_800
    ? `${(seconds / 3600).toFixed(1)} h`
    : `${(seconds / 86_400).toFixed(1)} d`
}

/** `2.1 MB`, in powers of 1000. */
export function bytes(value: Maybe): string {
  if (!isNumber(value)) return NONE
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3))
  return `${(value / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

/** `2026-03-02 06:00:00` in UTC. */
export function utc(ms: Maybe): string {
  return isNumber(ms) ? new Date(ms).toISOString().replace('T', ' ').slice(0, 19) : NONE
}

/** `06:00:00` where the reader is. */
export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB')
}

function isNumber(value: Maybe): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

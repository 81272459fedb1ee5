/** @file One thing that is wrong with a job file: where, what the value is, what would be right. */

import type { SettingPath } from './yaml-source.ts'

/** A wrong setting. */
export interface Problem {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** As it would be written in code: `tasks[0].window`. */
  readonly setting: string
  /** Follows the setting: ` is -3: must be at least 1 (e.g. batch: 64)`. */
  readonly message: string
}

/** `examples/simulated/job.yaml:14: train.batch is -3: must be at least 1 (e.g. batch: 64)` */
export function describeProblem({ file, line, setting, message }: Problem): string {
  return `${file}:${line}: ${setting}${message}`
}

/** `tasks[0].window`; the whole file when the path is empty. */
export function nameOf(path: SettingPath): string {
  let name = ''
  for (const step of path) {
    if (typeof step === 'number') name += `[${step}]`
    else name += name === '' ? String(step) : `.${String(step)}`
  }
  return name === '' ? 'the file' : name
}

const SECRET_NAME = /passw|passphrase|secret|token|credential|private|api_?key/i
const LONGEST_VALUE = 60

/** True when a key on the way tells that its value is nobody's business. */
export function namesSecret(path: SettingPath): boolean {
  return path.some((step) => SECRET_NAME.test(String(step)))
}

/** A value as a message may show it: scalars shortened, `user:password@` of addresses taken out, the rest by its type. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value !== 'string') return String(value)
  const shown = value.replace(/\/\/[^/\s]*@/g, '//(hidden)@')
  return JSON.stringify(
    shown.length > LONGEST_VALUE ? `${shown.slice(0, LONGEST_VALUE)}...` : shown,
  )
}

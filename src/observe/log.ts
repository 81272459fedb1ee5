/** @file The log: one JSON object per line, with what must stay secret taken out (door for pino). */

import { pino } from 'pino'
import type { Clock } from '../time.ts'

/** From most to least talkative. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Where stages and processes write what happened; `fields` first, then a sentence. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** A log whose lines all carry `fields`. */
  child(fields: object): Log
}

export interface LogOptions {
  readonly level: LogLevel
  readonly clock: Clock
  /** Takes each line; standard error when absent, so that standard output stays free for results. */
  readonly write?: (line: string) => void
}

const SECRET_KEYS = [
  'password',
  'passphrase',
  'secret',
  'token',
  'apiKey',
  'api_key',
  'privateKey',
  'private_key',
  'authorization',
  'sasl',
]

/** Keys that are secret at the top of the fields and one or two levels below. */
const REDACTED = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`])

/** A log that never writes values under the keys above, `user:password@` of addresses, or a `Secret`. */
export function createLog({ level, clock, write }: LogOptions): Log {
  const output = write ?? ((line: string) => void process.stderr.write(line))
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED, censor: '[secret]' },
    },
    { write: (line) => output(withoutCredentials(line)) },
  )
}

function withoutCredentials(line: string): string {
  return line.replace(/\/\/[^/\s"@]*@/g, '//[secret]@')
}

/** @file Errors that teach: every one has a code, says what was wrong and what would be right. */

/** What an error is about; programs branch on this, people read the message. */
export type ErrorCode =
  | 'BAD_SETTINGS'
  | 'BAD_SCHEMA'
  | 'BAD_INPUT'
  | 'BAD_STATE'
  | 'BROKER'
  | 'CORRUPT'
  | 'ENGINE'
  | 'FENCED'
  | 'FOREIGN'
  | 'IO'
  | 'NUMERIC'
  | 'USAGE'

/** A configuration, programming or environment error. Bad data is never thrown: it is a value (law 5). */
export class MillraceError extends Error {
  readonly code: ErrorCode
  /** What the reader can do about it, one sentence. */
  readonly remedy: string | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options: { remedy?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'MillraceError'
    this.code = code
    this.remedy = options.remedy
  }
}

/** The message of anything that was thrown, for a log line or a dead letter. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

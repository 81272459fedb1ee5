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
  | 'REGISTRY'
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

/** What the operating system refused (a full disk, a missing right) as an error with a remedy; undefined for any other error. */
export function systemError(thrown: unknown): MillraceError | undefined {
  if (!(thrown instanceof Error) || thrown instanceof MillraceError) return undefined
  if (!('syscall' in thrown) || !('code' in thrown)) return undefined
  const remedy =
    SYSTEM_REMEDIES[String(thrown.code)] ??
    'See to it that this process may do that, and start it again.'
  return new MillraceError('IO', thrown.message, { remedy, cause: thrown })
}

const NO_ROOM =
  'Make room on that disk and start again: nothing was lost, the next start goes on from the last checkpoint.'

const SYSTEM_REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: NO_ROOM,
  EDQUOT: NO_ROOM,
  EROFS: 'The file system is read-only: mount it for writing, or give another folder.',
  EACCES: 'Give this user the right to it, or give another folder.',
  EMFILE: 'Raise the number of open files (ulimit -n).',
}

/** @file The few file system steps that must be done just so: writes that are whole, files that appear at once, durable names. */

import { closeSync, fsyncSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { MillraceError, messageOf } from '../../errors.ts'

/** Writes all of `bytes` at `position`; the system may take several calls for it. */
export function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  let written = 0
  while (written < bytes.length) {
    written += writeSync(fd, bytes, written, bytes.length - written, position + written)
  }
}

/** Replaces a file so that a reader sees the old content or the new one whole. */
export function replaceFile(path: string, content: string): void {
  const draft = `${path}.draft`
  writeFileSync(draft, content)
  renameSync(draft, path)
}

/** Makes the names in a directory durable: a new file survives a power cut only after this. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Whether the file system said that something does not exist. */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT'
}

/** Whether the file system said that something exists already. */
export function isPresent(error: unknown): boolean {
  return codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOTEMPTY'
}

/** What the file system threw, as an error that says where and what to do; errors of our own pass unchanged. */
export function ioError(place: string, thrown: unknown): MillraceError {
  if (thrown instanceof MillraceError) return thrown
  return new MillraceError('IO', `${place}: ${messageOf(thrown)}`, {
    remedy: 'Check that the path exists, that it may be written to, and that the disk has room.',
    cause: thrown,
  })
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

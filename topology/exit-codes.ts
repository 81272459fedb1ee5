/** @file What the exit code of a command says; docs/command-line.md has the same table. */

import { type ErrorCode, MillraceError } from '../src/errors.ts'

/** By the code of the error that ended the command. */
const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  USAGE: 2,
  BAD_SETTINGS: 3,
  BAD_SCHEMA: 3,
  BAD_INPUT: 4,
  CORRUPT: 5,
  FOREIGN: 5,
  BAD_STATE: 5,
  FENCED: 5,
  BROKER: 6,
  IO: 6,
  REGISTRY: 6,
  ENGINE: 7,
  NUMERIC: 7,
}

/** In words, for the documentation and the help. */
export const EXIT_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'done'],
  [1, 'a fault of the program; the stack is on standard error'],
  [2, 'wrong arguments'],
  [3, 'a wrong job file or schema'],
  [4, 'input that cannot be read'],
  [5, 'state or updates that do not fit or are damaged'],
  [6, 'the bus, the schema registry or the disk does not answer'],
  [7, 'no engine, or a number that is not finite'],
  [130, 'a second Ctrl-C did not wait for the epoch under way'],
]

/** The exit code for what was thrown. */
export function exitCodeOf(thrown: unknown): number {
  return thrown instanceof MillraceError ? EXIT_CODES[thrown.code] : 1
}

/** @file What a command gets from the process it runs in; tests give their own. */

import type { Environment } from '../src/settings/environment.ts'
import type { Clock } from '../src/time.ts'

export interface CommandContext {
  readonly clock: Clock
  readonly environment: Environment
  /** Where progress is drawn: standard error, so that standard output holds results only. */
  readonly terminal: NodeJS.WriteStream
  /** One block of result text. */
  readonly print: (text: string) => void
  /** Results as JSON instead of text. */
  readonly json?: boolean
  /** The script that this process runs, to start another of its kind. */
  readonly script: string
}

/** The result of a command: text for people, or the value as JSON where that was asked for. */
export function printResult(
  { json = false, print }: Pick<CommandContext, 'json' | 'print'>,
  value: unknown,
  text: string,
): void {
  print(json ? JSON.stringify(value, undefined, 2) : text)
}

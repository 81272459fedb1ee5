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
  /** The script that this process runs, to start another of its kind. */
  readonly script: string
}

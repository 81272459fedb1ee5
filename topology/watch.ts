/** @file Takes one look at the learner per second: into the history, to the metrics, to every open page. */

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf } from '../src/errors.ts'
import { History } from '../src/observe/history.ts'
import { historyPoint } from '../src/observe/history-point.ts'
import type { Log } from '../src/observe/log.ts'
import type { MetricsRegistry } from '../src/observe/registry.ts'
import type { StatusBoard } from './status-board.ts'

export interface WatchOptions {
  readonly board: StatusBoard
  readonly registry: MetricsRegistry
  readonly lines: Log
  /** Where the history outlives the process; it is no part of the learner's state and may be deleted at any time. */
  readonly file: string
}

/** A running watch. */
export interface Watch {
  readonly history: History
  /** Called after every look. */
  onLook: () => void
  /** Takes a last look and writes the history down. */
  close(): void
}

const LOOK_MS = 1_000
/** A kill loses at most so many looks of the history. */
const SAVE_EVERY_LOOKS = 30

export function startWatch({ board, registry, lines, file }: WatchOptions): Watch {
  const history = new History()
  history.load(savedHistory(file, lines))
  let looks = 0
  const look = (): void => {
    const status = board.status()
    registry.record({ kind: 'quality', tasks: status.tasks })
    history.record(status.at, historyPoint(status))
    looks += 1
    if (looks % SAVE_EVERY_LOOKS === 0) saveHistory(file, history, lines)
    watch.onLook()
  }
  const timer = setInterval(look, LOOK_MS)
  const watch: Watch = {
    history,
    onLook: () => undefined,
    close: () => {
      clearInterval(timer)
      look()
      saveHistory(file, history, lines)
    },
  }
  return watch
}

/** A history that cannot be read is only a shorter past on the page. */
function savedHistory(file: string, lines: Log): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (thrown) {
    const absent = (thrown as NodeJS.ErrnoException).code === 'ENOENT'
    if (!absent) lines.warn({ file, reason: messageOf(thrown) }, 'the page starts without a past')
    return undefined
  }
}

function saveHistory(file: string, history: History, lines: Log): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(`${file}.new`, JSON.stringify(history.save()))
    renameSync(`${file}.new`, file)
  } catch (thrown) {
    lines.warn({ file, reason: messageOf(thrown) }, "the page's past cannot be kept")
  }
}

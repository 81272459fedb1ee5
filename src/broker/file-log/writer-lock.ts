/**
 * @file One writer per topic, and one learner per state folder: numbered lock files that are only ever replaced by a higher number. Node has no file locks, and
 * a lock that is deleted and made again can be won twice; a number can be taken once only.
 */

import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { MillraceError } from '../../errors.ts'
import { isMissing, isPresent, replaceFile } from './disk.ts'

const LOCK = /^writer\.(\d+)\.lock$/

/** Who holds a lock. */
interface Holder {
  readonly pid: number
  readonly host: string
  /** When the process started, in ticks since boot: tells it from a later process with the same id. Empty if unknown. */
  readonly started: string
  readonly released: boolean
}

/** The right to write in one directory (a topic's, a learner's state), until it is released or its process is dead. */
export class WriterLock {
  readonly #path: string
  readonly #holder: Holder

  private constructor(path: string, holder: Holder) {
    this.#path = path
    this.#holder = holder
  }

  /**
   * Takes the lock in `directory`, from a dead process if need be; `what` is written there, for the error. Throws BROKER naming the process that holds it; a
   * process on another machine cannot be looked at, so its lock stands.
   */
  static acquire(directory: string, what: string): WriterLock {
    const holder = thisProcess()
    for (;;) {
      const number = highestLock(directory)
      const current = number > 0 ? readHolder(lockPath(directory, number)) : undefined
      if (current !== undefined && isHeld(current)) throw heldBy(what, directory, current)
      const mine = lockPath(directory, number + 1)
      if (!claim(mine, holder)) continue
      // Somebody may have gone past this number while it was free: the highest one holds.
      if (highestLock(directory) === number + 1) {
        removeBelow(directory, number + 1)
        return new WriterLock(mine, holder)
      }
      rmSync(mine, { force: true })
    }
  }

  /** Whether a living process holds the lock in `directory`. */
  static isHeld(directory: string): boolean {
    const holder = newestHolder(directory)
    return holder !== undefined && isHeld(holder)
  }

  /** Whether there ever was a lock in `directory`. */
  static wasTaken(directory: string): boolean {
    return newestHolder(directory) !== undefined
  }

  /** Lets the next writer in. */
  release(): void {
    replaceFile(this.#path, JSON.stringify({ ...this.#holder, released: true }))
  }
}

function newestHolder(directory: string): Holder | undefined {
  try {
    const number = highestLock(directory)
    return number > 0 ? readHolder(lockPath(directory, number)) : undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function lockPath(directory: string, number: number): string {
  return join(directory, `writer.${number}.lock`)
}

function highestLock(directory: string): number {
  const numbers = readdirSync(directory).map((name) => Number(LOCK.exec(name)?.[1] ?? 0))
  return Math.max(0, ...numbers)
}

/** Makes the lock file with its content in one step; false when the number is taken. */
function claim(path: string, holder: Holder): boolean {
  const draft = `${path}.${holder.pid}`
  writeFileSync(draft, JSON.stringify(holder))
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (isPresent(error)) return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function removeBelow(directory: string, number: number): void {
  for (const name of readdirSync(directory)) {
    const found = LOCK.exec(name)?.[1]
    if (found !== undefined && Number(found) < number)
      rmSync(join(directory, name), { force: true })
  }
}

/** Undefined when the file is gone, which means that a higher number was taken. */
function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder
  } catch (error) {
    if (isMissing(error)) return undefined
    throw new MillraceError('CORRUPT', `${path} is no lock file`, {
      remedy: 'Delete it when no process writes to the topic.',
      cause: error,
    })
  }
}

function isHeld(holder: Holder): boolean {
  if (holder.released) return false
  if (holder.host !== hostname()) return true
  const running = processStart(holder.pid)
  return running !== undefined && (running === holder.started || holder.started === '')
}

function thisProcess(): Holder {
  const started = processStart(process.pid) ?? ''
  return { pid: process.pid, host: hostname(), started, released: false }
}

/** Start time of a live process, empty where the system does not tell; undefined when it is dead, a zombie included. */
function processStart(pid: number): string | undefined {
  try {
    // The name in field 2 can contain anything, so fields are counted from its closing bracket.
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : (fields[19] ?? '')
  } catch {
    return signalReaches(pid) ? '' : undefined
  }
}

/** Where there is no /proc: signal 0 reaches live processes, and those of other users answer EPERM. */
function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function heldBy(what: string, directory: string, { pid, host }: Holder): MillraceError {
  const who = pid === process.pid && host === hostname() ? 'this process itself' : `process ${pid}`
  return new MillraceError(
    'BROKER',
    `${what} in ${directory} already has a writer: ${who} on ${host}`,
    {
      remedy:
        host === hostname()
          ? `Stop process ${pid} first.`
          : `If that process is dead, delete the file writer.*.lock there.`,
    },
  )
}

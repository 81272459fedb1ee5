/** @file Waits out a broker that is away: an operation is done again until it succeeds, fails for good, or patience ends. */

import { setTimeout as sleep } from 'node:timers/promises'
import { mayPass } from './kafka-errors.ts'

/** Pause between two tries: short against a restart, long against a reconnection. */
const PAUSE_MS = 200

export interface PatienceOptions {
  readonly patienceMs: number
  /** Ends the waiting. */
  readonly closing: AbortSignal
  /** Called before the next try. */
  readonly onFailure?: () => void
}

/** The result of the first try that succeeds; what the last one threw when none did. */
export async function patiently<Result>(
  operation: () => Promise<Result>,
  { patienceMs, closing, onFailure }: PatienceOptions,
): Promise<Result> {
  // A timer rather than a clock, and only once something failed: nearly every call succeeds at once. Not AbortSignal.any
  // over AbortSignal.timeout: Node 20 may collect the inner signal, and then patience never ends.
  const ended = new AbortController()
  const end = (): void => ended.abort()
  let timer: NodeJS.Timeout | undefined
  closing.addEventListener('abort', end, { once: true })
  try {
    for (;;) {
      try {
        return await operation()
      } catch (thrown) {
        timer ??= setTimeout(end, patienceMs)
        if (closing.aborted || ended.signal.aborted || !mayPass(thrown)) throw thrown
        onFailure?.()
        // Woken early, the next failure is the last.
        await sleep(PAUSE_MS, undefined, { signal: ended.signal }).catch(() => undefined)
      }
    }
  } finally {
    clearTimeout(timer)
    closing.removeEventListener('abort', end)
  }
}

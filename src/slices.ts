/** @file Work in slices: a generator that yields wherever others may have their turn; the result does not depend on who had one. */

import { setImmediate as nextTurn } from 'node:timers/promises'

/** Work that gives a result; each `yield` ends a slice. */
export type Slices<Result> = Generator<void, Result>

/** All slices one after the other. */
export function atOnce<Result>(slices: Slices<Result>): Result {
  for (;;) {
    const { done, value } = slices.next()
    if (done === true) return value
  }
}

/** The event loop has a turn between any two slices. */
export async function inTurns<Result>(slices: Slices<Result>): Promise<Result> {
  for (;;) {
    const { done, value } = slices.next()
    if (done === true) return value
    await nextTurn()
  }
}

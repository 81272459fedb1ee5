/** @file Equality of what the streaming join and the batch oracle give. */

import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { Event, Malformed } from '../../src/events/event.ts'
import type { JoinOutputs } from '../../src/join/join-outputs.ts'
import type { OracleOutputs } from '../oracle/batch-join.ts'

/** Equality of everything; what arrival decides is compared input by input. */
export function expectSame(outputs: JoinOutputs, oracle: OracleOutputs): void {
  // What an impression says is read when somebody asks, so it is not copied with the rest.
  const samples = outputs.samples.map(
    ({ role, id, key, time, maturedAt, fields, labels, mask, learned, late }) => ({
      ...{ role, id, key, time, maturedAt, fields },
      labels: [...labels],
      mask: [...mask],
      learned: [...learned],
      late: [...late],
    }),
  )
  expectEqual(
    samples,
    oracle.samples.map(({ impression: { id, key, time, fields }, ...row }) => ({
      ...{ id, key, time, fields },
      ...row,
    })),
  )
  expectEqual(outputs.joined, oracle.joined)
  expectEqual(outputs.erased, oracle.erased)
  const lateFor = (reason: string): Event[] =>
    outputs.late.filter((late) => late.reason === reason).map((late) => late.event)
  expectEqual(lateFor('after-window'), oracle.afterWindow)
  expectEqual(lateFor('idle-input'), [])
  expectEqual(byInput(lateFor('out-of-order')), oracle.outOfOrder)
  expectEqual(outputs.orphans, oracle.orphans)
  expectEqual(byInput(outputs.duplicates), oracle.duplicates)
  expectEqual(byInput(outputs.deadLetters), oracle.deadLetters)
}

function byInput<E extends Event | Malformed>(events: readonly E[]): E[] {
  return [...events].sort((a, b) => a.source.input - b.source.input)
}

/** As `toEqual`, whose hundred thousand small comparisons are only needed to show a difference. */
function expectEqual(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected)
}

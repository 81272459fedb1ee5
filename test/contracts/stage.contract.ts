/** @file What every stage promises (laws 2 and 7), as tests that run over any of them. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import type { Stage } from '../../src/stage.ts'

/** Outputs by channel; the channels' contents are compared after concatenation over the calls. */
export type Channels = Readonly<Record<string, readonly unknown[]>>

export interface StageCase<S extends Stage, Input> {
  readonly name: string
  /** A fresh stage and what it is fed with; both are drawn. */
  readonly histories: fc.Arbitrary<{ readonly make: () => S; readonly inputs: readonly Input[] }>
  /** Hands the inputs over in one call, where the stage has a call for several. */
  feed(stage: S, inputs: readonly Input[]): Channels
  readonly runs?: number
}

/** Registers the contract's tests for one stage. */
export function stageContract<S extends Stage, Input>(stageCase: StageCase<S, Input>): void {
  const { name, histories, feed, runs = 100 } = stageCase
  // A history that fails shrinks for half an hour where it is long: a failure is told within minutes.
  const asked = { numRuns: runs, interruptAfterTimeLimit: 100_000, markInterruptAsFailure: true }
  const cutAt = fc.array(fc.nat(20), { maxLength: 20 })

  describe(`${name} as a stage`, () => {
    it('restored after any prefix gives the outputs and the state of an uninterrupted run', () => {
      fc.assert(
        fc.property(histories, fc.nat(), ({ make, inputs }, cut) => {
          const whole = make()
          const prefix = cut % (inputs.length + 1)
          const first = feed(whole, inputs.slice(0, prefix))
          const bytes = whole.snapshot()
          const rest = feed(whole, inputs.slice(prefix))

          const restored = make()
          restored.restore(bytes)
          expect(hex(restored.snapshot())).toBe(hex(bytes))
          expect(feed(restored, inputs.slice(prefix))).toEqual(rest)
          expect(hex(restored.snapshot())).toBe(hex(whole.snapshot()))

          const straight = make()
          expect(feed(straight, inputs)).toEqual(joined([first, rest]))
          expect(hex(straight.snapshot())).toBe(hex(whole.snapshot()))
        }),
        asked,
      )
    })

    it('gives the same outputs and the same state however its input is cut into calls', () => {
      fc.assert(
        fc.property(histories, cutAt, ({ make, inputs }, sizes) => {
          const whole = make()
          const cut = make()
          const outputs = [...cuts(inputs, sizes)].map((poll) => feed(cut, poll))
          const expected = feed(whole, inputs)
          expect(joined([feed(make(), []), ...outputs])).toEqual(expected)
          expect(hex(cut.snapshot())).toBe(hex(whole.snapshot()))
        }),
        asked,
      )
    })

    it('goes back to any earlier state, forgetting everything that it held', () => {
      fc.assert(
        fc.property(histories, fc.nat(), ({ make, inputs }, cut) => {
          const stage = make()
          const prefix = cut % (inputs.length + 1)
          feed(stage, inputs.slice(0, prefix))
          const bytes = stage.snapshot()
          const rest = feed(stage, inputs.slice(prefix))
          stage.restore(bytes)
          expect(hex(stage.snapshot())).toBe(hex(bytes))
          expect(feed(stage, inputs.slice(prefix))).toEqual(rest)
        }),
        asked,
      )
    })

    it('hands out snapshots that the caller may overwrite, and is not changed by taking one', () => {
      fc.assert(
        fc.property(histories, ({ make, inputs }) => {
          const stage = make()
          feed(stage, inputs)
          const bytes = stage.snapshot()
          const before = hex(bytes)
          bytes.fill(0xa5)
          expect(hex(stage.snapshot())).toBe(before)

          const restored = make()
          const copy = stage.snapshot()
          restored.restore(copy)
          copy.fill(0xa5)
          expect(hex(restored.snapshot())).toBe(before)
        }),
        asked,
      )
    })

    it('refuses a snapshot that is cut short, too long or of something else as CORRUPT', () => {
      fc.assert(
        fc.property(histories, fc.nat(), ({ make, inputs }, cut) => {
          const stage = make()
          feed(stage, inputs)
          const bytes = stage.snapshot()
          const wrong = [
            bytes.slice(0, cut % bytes.length),
            Uint8Array.from([...bytes, 0]),
            Uint8Array.from([4, 0, 0, 0, 0x6e, 0x6f, 0x6e, 0x65]),
          ]
          for (const broken of wrong) expect(codeOf(() => make().restore(broken))).toBe('CORRUPT')
        }),
        asked,
      )
    })
  })
}

/** The inputs in pieces of the given sizes; sizes of 0 give empty calls, the last piece takes what is left. */
export function* cuts<Input>(
  inputs: readonly Input[],
  sizes: readonly number[],
): Generator<readonly Input[]> {
  let at = 0
  for (const size of sizes) {
    yield inputs.slice(at, at + size)
    at += size
  }
  yield inputs.slice(at)
}

/** Concatenates the outputs of several calls, channel by channel. */
export function joined(calls: readonly Channels[]): Channels {
  const all: Record<string, unknown[]> = {}
  for (const call of calls) {
    for (const [channel, values] of Object.entries(call)) {
      all[channel] = [...(all[channel] ?? []), ...values]
    }
  }
  return all
}

/** The code of the error that is thrown, `none` without one, the error's text when it is not one of ours. */
export function codeOf(action: () => unknown): string {
  try {
    action()
    return 'none'
  } catch (thrown) {
    return thrown instanceof MillraceError ? thrown.code : String(thrown)
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

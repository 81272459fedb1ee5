/** @file The ring holds exactly the names that were added and not forgotten, however it wraps and grows. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NameUnits } from '../../src/events/name-units.ts'
import { KeyRing } from '../../src/join/key-ring.ts'

const name = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.constant(''))
const step = fc.record({ add: fc.array(name, { maxLength: 8 }), forget: fc.nat(8) })

test('a ring of names gives back what was added and not forgotten', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const ring = new KeyRing()
      const units = new NameUnits()
      const held: { text: string; at: number }[] = []
      for (const { add, forget } of steps) {
        for (const text of add) held.push({ text, at: ring.add(units.clear().text(text)) })
        held.splice(0, forget)
        ring.forgetBefore(held[0]?.at ?? ring.next)
        for (const { text, at } of held) {
          expect(ring.text(at, text.length)).toBe(text)
          expect(ring.holds(at, units.clear().text(text))).toBe(true)
          if (text !== '')
            expect(ring.holds(at, units.clear().text(`${text}x`.slice(1)))).toBe(
              false || allAlike(text),
            )
        }
      }
    }),
    { seed: 3, numRuns: 200 },
  )
})

/** Whether a text shifted by one is itself. */
function allAlike(text: string): boolean {
  return `${text}x`.slice(1) === text
}

import { describe, expect, it } from 'vitest'
import { armOptions } from '../../src/samples/arm-options.ts'
import { ArmTraffic } from '../../src/samples/arm-traffic.ts'
import type { Sample } from '../../src/samples/sample.ts'

function sampleOf(arm: unknown, role: Sample['role'] = 'final'): Sample {
  return { fields: arm === undefined ? {} : { arm }, role } as unknown as Sample
}

const SAMPLES = ['blue', 'green', 'blue', 'red', 7, undefined].map((arm) => sampleOf(arm))

function armsLearned(settings: object): unknown[] {
  const traffic = new ArmTraffic(
    armOptions.parse({ name: 'blue', others: ['green', '7'], ...settings }),
  )
  return traffic.pick(SAMPLES).map(({ fields }) => fields.arm)
}

describe('an arm of a test', () => {
  it('learns from what it has shown itself', () => {
    expect(armsLearned({})).toEqual(['blue', 'blue'])
  })

  it('or from everything, or from what another arm has shown', () => {
    expect(armsLearned({ train_on: 'shared' })).toEqual(SAMPLES.map(({ fields }) => fields.arm))
    expect(armsLearned({ train_on: 'mirrored', mirrors: 'green' })).toEqual(['green'])
    expect(armsLearned({ train_on: 'mirrored', mirrors: '7' })).toEqual([7])
  })

  it('erases a user whatever arm the others are', () => {
    const traffic = new ArmTraffic(armOptions.parse({ name: 'blue', others: ['green'] }))
    expect(traffic.pick([sampleOf(undefined, 'erasure'), sampleOf('green')]).length).toBe(1)
    expect(traffic.leftOut[2]).toBe(0)
  })

  it('counts what it learned from and what it left out, once per sample that teaches', () => {
    const traffic = new ArmTraffic(armOptions.parse({ name: 'blue', others: ['green'] }))
    traffic.pick([...SAMPLES, sampleOf('blue', 'opened'), sampleOf('green', 'opened')])
    expect(traffic.names).toEqual(['blue', 'green', 'unnamed'])
    expect([...traffic.learned]).toEqual([2, 0, 0])
    expect([...traffic.leftOut]).toEqual([0, 1, 3])
    const copy = new ArmTraffic(armOptions.parse({ name: 'blue', others: ['green'] }))
    copy.restore(traffic.snapshot())
    expect(copy.snapshot()).toEqual(traffic.snapshot())
    const other = new ArmTraffic(armOptions.parse({ name: 'blue', others: ['a', 'b'] }))
    expect(() => other.restore(traffic.snapshot())).toThrow('counts of 3 arms, not 4')
  })

  it.each([
    [{ name: 'blue', others: ['blue'] }, 'names an arm twice'],
    [{ name: 'blue', others: [] }, 'others'],
    [{ name: 'unnamed', others: ['green'] }, 'what has no arm'],
    [{ name: 'blue', others: ['green'], train_on: 'mirrored' }, 'goes with train_on: mirrored'],
    [{ name: 'blue', others: ['green'], mirrors: 'green' }, 'goes with train_on: mirrored'],
    [{ name: 'blue', others: ['green'], train_on: 'mirrored', mirrors: 'red' }, 'one of others'],
  ])('%j is refused', (settings, message) => {
    expect(() => armOptions.parse(settings)).toThrow(message)
  })
})

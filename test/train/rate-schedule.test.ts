import { describe, expect, it } from 'vitest'
import { RateSchedule } from '../../src/train/rate-schedule.ts'
import { scheduleOptions } from '../../src/train/schedule-options.ts'

function scheduleOf(options: object): RateSchedule {
  return new RateSchedule(scheduleOptions.parse(options))
}

/** The factors of the next steps. */
function factors(schedule: RateSchedule, steps: number): number[] {
  return Array.from({ length: steps }, () => {
    const { factor } = schedule
    schedule.advance()
    return factor
  })
}

describe('a rate schedule', () => {
  it('leaves the rates as they are unless it is told otherwise', () => {
    expect(new Set(factors(scheduleOf({}), 1_000))).toEqual(new Set([1]))
  })

  it('rises in equal parts to the full rate', () => {
    expect(factors(scheduleOf({ warmup_steps: 3 }), 5)).toEqual([0.25, 0.5, 0.75, 1, 1])
  })

  it('falls with the root of the steps after the warm-up, down to the floor', () => {
    const schedule = scheduleOf({ warmup_steps: 1, decay_steps: 10, floor: 0.3 })
    const found = factors(schedule, 202)
    expect(found[1]).toBe(1)
    expect(found[11]).toBeCloseTo(Math.SQRT1_2, 9)
    expect(found[31]).toBeCloseTo(0.5, 9)
    expect(found[201]).toBe(0.3)
  })

  it('starts the decay again on drift, without another warm-up, where the job asks for it', () => {
    const options = { warmup_steps: 4, decay_steps: 10 }
    const [resets, goesOn] = [scheduleOf({ ...options, reset_on_drift: true }), scheduleOf(options)]
    for (const schedule of [resets, goesOn]) {
      factors(schedule, 50)
      schedule.noteDrift()
    }
    expect(resets.factor).toBe(1)
    expect(goesOn.factor).toBeLessThan(0.5)
    expect(() => scheduleOf({ reset_on_drift: true })).toThrow('needs decay_steps')
  })

  it('goes on from a snapshot as if nothing had been', () => {
    const options = { warmup_steps: 5, decay_steps: 7 }
    for (const steps of [0, 3, 5, 20]) {
      const schedule = scheduleOf(options)
      factors(schedule, steps)
      const copy = scheduleOf(options)
      copy.restore(schedule.snapshot())
      expect(factors(copy, 10)).toEqual(factors(schedule, 10))
    }
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Watermark } from '../../src/events/watermark.ts'
import { END_OF_TIME, START_OF_TIME } from '../../src/time.ts'
import { codeOf, stageContract } from '../contracts/stage.contract.ts'

describe('the watermark', () => {
  it('is the least newest time of all inputs less the lateness', () => {
    const watermark = new Watermark(2, 10)
    watermark.observe(0, 100)
    expect(watermark.current).toBe(START_OF_TIME)
    watermark.observe(1, 50)
    expect(watermark.current).toBe(40)
    watermark.observe(1, 200)
    expect(watermark.current).toBe(90)
  })

  it('calls an event late when it lies more than the lateness behind its own partition', () => {
    const watermark = new Watermark(2, 10)
    expect(watermark.observe(0, 100)).toBe('on-time')
    expect(watermark.observe(0, 90)).toBe('on-time')
    expect(watermark.observe(0, 89)).toBe('out-of-order')
    expect(watermark.observe(1, 1)).toBe('on-time')
  })

  it('moves on without an idle input, and calls what that input then brings too late', () => {
    const watermark = new Watermark(2, 10)
    watermark.observe(0, 100)
    watermark.observe(1, 20)
    watermark.setIdle(1, true)
    expect(watermark.current).toBe(90)
    expect(watermark.observe(1, 89)).toBe('idle-input')
    expect(watermark.observe(1, 95)).toBe('on-time')
  })

  it('waits again for an idle input from its next event on, but never falls', () => {
    const watermark = new Watermark(2, 10)
    watermark.observe(0, 100)
    watermark.setIdle(1, true)
    watermark.observe(1, 30)
    watermark.observe(0, 500)
    expect(watermark.current).toBe(90)
    watermark.observe(1, 120)
    expect(watermark.current).toBe(110)
  })

  it('stays where it is while every input is idle', () => {
    const watermark = new Watermark(2, 10)
    watermark.observe(0, 100)
    watermark.observe(1, 60)
    watermark.setIdle(0, true)
    watermark.setIdle(1, true)
    expect(watermark.current).toBe(50)
  })

  it('does not wait for a finished input, and is the end of time after the last', () => {
    const watermark = new Watermark(2, 10)
    watermark.finish(0)
    watermark.observe(1, 100)
    expect(watermark.current).toBe(90)
    watermark.setIdle(0, false)
    expect(watermark.current).toBe(90)
    watermark.finish(1)
    expect(watermark.current).toBe(END_OF_TIME)
  })

  it('refuses events of a finished input and inputs that do not exist', () => {
    const watermark = new Watermark(1, 10)
    watermark.finish(0)
    expect(codeOf(() => watermark.observe(0, 1))).toBe('BAD_STATE')
    expect(codeOf(() => watermark.observe(1, 1))).toBe('BAD_STATE')
    expect(codeOf(() => watermark.setIdle(-1, true))).toBe('BAD_STATE')
  })

  it('refuses the state of another number of inputs', () => {
    expect(codeOf(() => new Watermark(3, 10).restore(new Watermark(2, 10).snapshot()))).toBe(
      'CORRUPT',
    )
  })

  it('never falls, and no event that is on time lies before it', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const watermark = new Watermark(3, 7)
        let before = watermark.current
        for (const { input, time, idle } of steps) {
          if (idle !== undefined) watermark.setIdle(input, idle)
          else if (watermark.observe(input, time) === 'on-time') {
            expect(time).toBeGreaterThanOrEqual(before)
          }
          expect(watermark.current).toBeGreaterThanOrEqual(before)
          before = watermark.current
        }
      }),
      { numRuns: 300 },
    )
  })
})

const step = fc.record({
  input: fc.nat(2),
  time: fc.integer({ min: 1, max: 60 }),
  idle: fc.option(fc.boolean(), { nil: undefined, freq: 4 }),
})

stageContract({
  name: 'the watermark',
  histories: fc.array(step).map((inputs) => ({ make: () => new Watermark(3, 7), inputs })),
  feed: (watermark, steps) => ({
    verdicts: steps.map(({ input, time, idle }) =>
      idle === undefined ? watermark.observe(input, time) : watermark.setIdle(input, idle),
    ),
  }),
})

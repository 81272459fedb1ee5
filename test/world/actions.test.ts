import { expect, test } from 'vitest'
import { randomFrom } from '../../src/random.ts'
import { drawActions } from '../../src/world/actions.ts'
import { WORLD_TASKS } from '../../src/world/tasks.ts'
import { worldOptions } from '../../src/world/world-options.ts'

const options = worldOptions.parse({ delays: { click: { beyond_share: 0.05 } } })
const p = { click: 0.4, like: 0.25, share: 0.6 }
const random = randomFrom(9)
const draws = Array.from({ length: 100_000 }, () => drawActions(p, options, random))

function rate(holds: (tasks: readonly string[]) => boolean): number {
  return draws.filter((actions) => holds(actions.map(({ task }) => task))).length / draws.length
}

test.each(WORLD_TASKS)('%s happens with its own probability', (task) => {
  // Four standard deviations of 100,000 draws are 0.0063 at most.
  expect(Math.abs(rate((tasks) => tasks.includes(task)) - p[task])).toBeLessThan(0.0063)
})

test('half of the likes hang on the chance of the click: P(click, like) = p (1 + P(click)) / 2 of the smaller p', () => {
  const both = rate((tasks) => tasks.includes('click') && tasks.includes('like'))
  expect(Math.abs(both - (0.5 * 0.25 + 0.5 * 0.25 * 0.4))).toBeLessThan(0.0063)
})

test('delays have the stated median and the stated share beyond the window, never more than three windows', () => {
  const { median_ms, within_ms } = options.delays.click
  const delays = draws
    .flatMap((actions) => actions.filter(({ task }) => task === 'click'))
    .map(({ delayMs }) => delayMs)
    .sort((a, b) => a - b)
  const beyond = delays.filter((ms) => ms > within_ms).length / delays.length
  expect(Math.abs(beyond - 0.05)).toBeLessThan(4 * Math.sqrt(0.05 / delays.length))
  expect(delays[0]).toBeGreaterThanOrEqual(1)
  expect(delays.at(-1)).toBeLessThanOrEqual(3 * within_ms)
  // 5 % beyond the window push the median of all to the log-normal's 52.6 %.
  expect((delays[Math.floor(delays.length / 2)] ?? 0) / median_ms).toBeCloseTo(1.05, 1)
})

test('a median far beyond the window still gives delays inside it', () => {
  const delays = { click: { median_ms: 1e9, sigma: 0.1, within_ms: 50, beyond_share: 0 } }
  const strange = worldOptions.parse({ delays })
  const [click] = drawActions({ click: 1, like: 0, share: 0 }, strange, randomFrom(1))
  expect(click?.delayMs).toBeLessThanOrEqual(50)
})

import { expect, test } from 'vitest'
import { randomFrom } from '../../src/random.ts'
import { Effects, WanderingEffects } from '../../src/world/effects.ts'

const spread = { sd: [1, 0.5, 0.25], shared: 0.64 }
const SIZE = 20_000

function moments(effects: Effects, a: number, b: number) {
  let [ab, aa, bb] = [0, 0, 0]
  for (let i = 0; i < SIZE; i++) {
    const [x, y] = [effects.at(a, i), effects.at(b, i)]
    ab += x * y
    aa += x * x
    bb += y * y
  }
  return { correlation: ab / Math.sqrt(aa * bb), deviation: Math.sqrt(aa / SIZE) }
}

test('effects have mean zero, the stated deviations and the stated correlation between tasks', () => {
  const effects = new Effects(SIZE, spread, randomFrom(3))
  const mean = Array.from({ length: SIZE }, (_, i) => effects.at(1, i)).reduce((a, b) => a + b)
  expect(mean / SIZE).toBeCloseTo(0, 12)
  spread.sd.forEach((sd, task) => {
    expect(moments(effects, task, task).deviation / sd).toBeCloseTo(1, 1)
  })
  expect(moments(effects, 0, 2).correlation).toBeCloseTo(0.64, 1)
})

test('a wandering effect comes back after its period and swings around its still value', () => {
  const wandering = new WanderingEffects(2, spread, spread, 10, randomFrom(3))
  const at = (hours: number) => {
    const z = new Float64Array(3)
    wandering.addTo(z, 0, hours)
    return z[0] ?? 0
  }
  const hours = Array.from({ length: 1000 }, (_, i) => i / 10)
  const values = hours.map(at)
  expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(0.01)
  const crossings = values.filter((value, i) => {
    const before = values[i - 1] ?? value
    const middle = (Math.max(...values) + Math.min(...values)) / 2
    return before < middle !== value < middle
  }).length
  // 100 hours at a period between 7.5 and 12.5 hours, two crossings each.
  expect(crossings).toBeGreaterThanOrEqual(15)
  expect(crossings).toBeLessThanOrEqual(28)
})

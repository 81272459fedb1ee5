import { describe, expect, test } from 'vitest'
import {
  VirtualGradient,
  virtualGradientOptions,
  virtualScale,
} from '../../src/model/virtual-gradient.ts'

const NAMES = ['gate.task.0', 'gate.task.1']
const ones = new Float32Array(8).fill(1)
/** Four rows, both tasks labelled alike: association 1. */
const alike = Float32Array.of(1, 0, 1, 0, 1, 0, 1, 0)

function scaled(options: Record<string, unknown>, gates: readonly number[]): number[] {
  const virtual = new VirtualGradient(virtualGradientOptions.parse(options), NAMES)
  virtual.observe(alike, ones, 4)
  const values = new Map(NAMES.map((name, i) => [name, Float32Array.of(gates[i] ?? 0)]))
  const gradients = new Map(virtual.names.map((name) => [name, Float32Array.of(1)]))
  virtual.apply(
    (name) => gradients.get(name),
    (name) => values.get(name) ?? new Float32Array(0),
  )
  return NAMES.map((name) => gradients.get(name)?.[0] ?? 1)
}

describe('virtual gradients', () => {
  test('double where labels go together and gates are apart, vanish where both gates are equal', () => {
    expect(scaled({ support: 1, clip: [0, 2] }, [0, 1])).toEqual([2, 2])
    expect(scaled({ support: 1, clip: [0, 2] }, [0.5, 0.5])).toEqual([0, 0])
  })

  test('are clipped to the scales that a job allows', () => {
    const [gradient] = scaled({ support: 1, clip: [0.1, 2] }, [0.5, 0.5])
    expect(gradient).toBeCloseTo(0.1, 7)
    expect(scaled({ support: 1, clip: [0, 1.5] }, [0, 1])).toEqual([1.5, 1.5])
  })

  test('take labels as unrelated until there is enough support', () => {
    expect(scaled({ support: 100, clip: [0, 2] }, [0.5, 0.5])).toEqual([2, 2])
  })

  test('change nothing when switched off', () => {
    expect(scaled({ enabled: false }, [0.5, 0.5])).toEqual([1, 1])
  })

  test('leave a single task alone', () => {
    expect([...virtualScale([Float32Array.of(0.3, 0.7)], 0, () => 1, 'additive-sqrt')]).toEqual([
      1, 1,
    ])
  })

  test('multiply over all other tasks', () => {
    const gates = [Float32Array.of(0), Float32Array.of(0.5), Float32Array.of(1)]
    const [scale] = virtualScale(gates, 0, (other) => (other === 1 ? 0 : 1), 'additive-abs')
    expect(scale).toBeCloseTo(2 * 0.5 * (2 * 1), 12)
  })

  test('go on after a restore as if nothing had happened', () => {
    const options = virtualGradientOptions.parse({})
    const whole = new VirtualGradient(options, NAMES)
    whole.observe(alike, ones, 4)
    const resumed = new VirtualGradient(options, NAMES)
    resumed.restore(whole.snapshot())
    for (const virtual of [whole, resumed]) virtual.observe(ones, ones, 4)
    expect(resumed.snapshot()).toEqual(whole.snapshot())
  })

  test('refuse clip bounds in the wrong order', () => {
    expect(virtualGradientOptions.safeParse({ clip: [2, 0.1] }).success).toBe(false)
  })
})

import { describe, expect, test } from 'vitest'
import { fillInitial } from '../../src/model/initial-values.ts'
import type { Initial, ParameterSpec } from '../../src/model/model.ts'
import { countValues, Parameters } from '../../src/model/parameters.ts'

function spec(name: string, shape: readonly number[], initial: Initial): ParameterSpec {
  return { name, shape, initial, owner: 'shared', place: 'trunk' }
}

const glorot: Initial = { kind: 'glorot', fanIn: 30, fanOut: 20 }
const specs = [
  spec('a.weight', [30, 20], glorot),
  spec('a.bias', [20], { kind: 'zeros' }),
  spec('gate', [2, 2], { kind: 'constant', value: 0.25 }),
]

describe('initial values', () => {
  test('are uniform within the limits of Glorot and Bengio', () => {
    const values = new Float64Array(20_000)
    fillInitial(values, glorot, 7, 'a.weight')
    const limit = Math.sqrt(6 / 50)
    expect(values.every((value) => Math.abs(value) < limit)).toBe(true)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const square = values.reduce((sum, value) => sum + value * value, 0) / values.length
    expect(mean).toBeCloseTo(0, 2)
    expect(square).toBeCloseTo(limit ** 2 / 3, 3)
  })

  test('are normal with the mean and deviation asked for', () => {
    const values = new Float64Array(20_000)
    fillInitial(values, { kind: 'normal', mean: 2, deviation: 0.1 }, 7, 'p')
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    expect(mean).toBeCloseTo(2, 2)
    expect(Math.sqrt(square)).toBeCloseTo(0.1, 2)
  })

  test('of one parameter do not depend on the parameters beside it', () => {
    const alone = new Parameters(specs.slice(0, 1), 3)
    const last = new Parameters([...specs].reverse(), 3)
    expect(last.view('a.weight')).toEqual(alone.view('a.weight'))
  })

  test('differ between names and between seeds', () => {
    const of = (seed: number, name: string): Float64Array => {
      const values = new Float64Array(4)
      fillInitial(values, glorot, seed, name)
      return values
    }
    expect(of(1, 'a')).not.toEqual(of(2, 'a'))
    expect(of(1, 'a')).not.toEqual(of(1, 'b'))
  })
})

describe('parameters', () => {
  test('lie one after the other in the order of their specs', () => {
    const parameters = new Parameters(specs, 1)
    expect(countValues(specs)).toBe(624)
    expect(parameters.values).toHaveLength(624)
    parameters.view('gate')[3] = 9
    expect(parameters.values.at(-1)).toBe(9)
    expect([...parameters.view('a.bias')]).toEqual(new Array(20).fill(0))
  })

  test('come back from a snapshot, byte for byte', () => {
    const saved = new Parameters(specs, 1)
    const loaded = new Parameters(specs, 2)
    loaded.restore(saved.snapshot())
    expect(loaded.values).toEqual(saved.values)
    expect(loaded.snapshot()).toEqual(saved.snapshot())
  })

  test('of another model are refused', () => {
    const other = new Parameters(specs.slice(1), 1)
    expect(() => new Parameters(specs, 1).restore(other.snapshot())).toThrow(
      expect.objectContaining({ code: 'CORRUPT' }),
    )
  })

  test('are not found under a wrong name and not twice under one', () => {
    expect(() => new Parameters(specs, 1).view('b')).toThrow(/no parameter b/)
    expect(() => new Parameters([...specs, ...specs], 1)).toThrow(/a.weight/)
  })
})

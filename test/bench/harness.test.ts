/** @file The harness counts right: turns, medians, quantiles; nothing here measures time. */

import { describe, expect, test } from 'vitest'
import { median, quantile, takeTurns } from '../../bench/harness.ts'

describe('takeTurns', () => {
  test('lets every side run as often, in an order that turns round, and forgets the warm-up', async () => {
    const calls: string[] = []
    const side = (name: string, value: number) => ({
      name,
      round: () => {
        calls.push(name)
        return value + calls.length
      },
    })
    const values = await takeTurns([side('ours', 100), side('theirs', 200)], { rounds: 2 })
    expect(calls).toEqual(['theirs', 'ours', 'ours', 'theirs', 'theirs', 'ours'])
    expect(values.get('ours')).toEqual([103, 106])
    expect(values.get('theirs')).toEqual([204, 205])
  })

  test('lets the error of a side through', async () => {
    const failing = { name: 'ours', round: () => Promise.reject(new Error('no broker')) }
    await expect(takeTurns([failing], { rounds: 1 })).rejects.toThrow('no broker')
  })
})

describe('median and quantile', () => {
  test('of odd, even and no values', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(median([])).toBeNaN()
  })

  test('the quantile is a value that was measured', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i)
    expect(quantile(values, 0.99)).toBe(99)
    expect(quantile(values, 1)).toBe(100)
    expect(quantile([7], 0.5)).toBe(7)
    expect(quantile([], 0.5)).toBeNaN()
  })
})

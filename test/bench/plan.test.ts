/** @file What is computed from results: the ages behind the freshness figure, and the plan past one machine. */

import { describe, expect, test } from 'vitest'
import type { Figure } from '../../bench/bench.ts'
import { agesOf } from '../../bench/benches/freshness.ts'
import { planOf } from '../../bench/plan.ts'
import { type Result, resultOf } from '../../bench/result.ts'

const machine = { processor: 'a core', cores: 2, memory_gib: 4, platform: 'linux x64' }

function result(
  name: string,
  figure: Partial<Figure>,
  facts: Readonly<Record<string, number>> = {},
): Result {
  const whole = { label: 'rate', unit: 'events/s', rounds: [1], better: 'higher' as const }
  const about = { name, summary: name, command: name, measured_on: '2026-01-02' }
  return resultOf({ figures: [{ ...whole, ...figure }], facts }, { ...about, commit: 'a', machine })
}

describe('the ages of samples', () => {
  test('count each millisecond of maturity with the first version that holds it', () => {
    const versions = [
      { sequence: 1, watermarkMs: 1_000, scoredAtMs: 1_400 },
      { sequence: 2, watermarkMs: 1_003, scoredAtMs: 1_900 },
      { sequence: 3, watermarkMs: 1_004, scoredAtMs: 2_400 },
    ]
    expect(agesOf(versions)).toEqual([899, 898, 897, 1_396])
    expect(agesOf(versions.slice(0, 1))).toEqual([])
  })
})

describe('the plan', () => {
  const results = [
    result('join', { rounds: [200_000] }),
    result('join-log', { rounds: [500_000] }),
    result(
      'whole-path',
      { rounds: [4_000], against: { name: 'steps', rounds: [5_000] } },
      { records: 1_440, samples: 1_000 },
    ),
  ]

  test('divides what is needed by what one process does, and says where it breaks first', () => {
    const plan = planOf(results) ?? ''
    expect(plan).toContain(
      '| joiners, through Kafka | 200,000 events/s | 5,000,000 events/s | 25 |',
    )
    expect(plan).toContain('| trainer, whole path | 4,000 samples/s | 3,472,222 samples/s | 869 |')
    expect(plan).toContain('It breaks first at the trainer, whole path: 869 times')
  })

  test('is not made up where a bench has not run', () => {
    const plan = planOf(results.slice(1)) ?? ''
    expect(plan).not.toContain('through Kafka')
    expect(plan).toContain('| joiners, without a broker beside them | 500,000 events/s |')
    expect(planOf(results.slice(0, 2))).toBeUndefined()
  })
})

/** @file Job files that want more than to be read: bombs, prototype pollution, names of built-in properties. */

import { performance } from 'node:perf_hooks'
import { describe, expect, test } from 'vitest'
import { parseJob } from '../../src/settings/job.ts'

function failure(text: string): { code?: string } {
  try {
    parseJob('job.yaml', text)
  } catch (thrown) {
    return thrown as { code?: string }
  }
  return {}
}

const laughs = (levels: number): string =>
  Array.from({ length: levels }, (_, i) =>
    i === 0
      ? 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]'
      : `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
  ).join('\n')

describe('a hostile job file', () => {
  test.each([
    ['a billion laughs', laughs(9)],
    ['ten thousand brackets', '['.repeat(10_000)],
    ['ten thousand maps', '{a: '.repeat(10_000)],
    ['a file of twenty megabytes', `name: ${'x'.repeat(20_000_000)}`],
    ['its own alias', 'a: &a [*a]'],
    ['a program', 'name: !!js/function "function () { return 1 }"'],
  ])('with %s is refused in no time', (_, text) => {
    const started = performance.now()
    expect(failure(text).code).toBe('BAD_SETTINGS')
    expect(performance.now() - started).toBeLessThan(5_000)
  })

  test.each(['__proto__', 'constructor', 'prototype', 'toString'])(
    'with the key %s pollutes nothing',
    (key) => {
      for (const text of [`${key}: { polluted: true }`, `bus: { ${key}: { polluted: true } }`]) {
        expect(failure(text).code).toBe('BAD_SETTINGS')
      }
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    },
  )
})

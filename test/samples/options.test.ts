import { describe, expect, it } from 'vitest'
import { batchOptions } from '../../src/samples/options.ts'

describe('the batch section of a job', () => {
  it('sets a count, a span of event time, or both', () => {
    expect(batchOptions.parse({ count: 64 })).toEqual({ count: 64, everyMs: undefined })
    expect(batchOptions.parse({ count: 64, every_ms: 1000 })).toEqual({ count: 64, everyMs: 1000 })
    expect(batchOptions.safeParse({}).error?.issues[0]?.message).toBe('set count, every_ms or both')
    expect(batchOptions.safeParse({ count: 0 }).success).toBe(false)
  })
})

import { describe, expect, it } from 'vitest'
import { joinOptions } from '../../src/join/options.ts'

describe('the join section of a job', () => {
  it('takes the name of a task as its kind and remembers keys for the longest window', () => {
    const tasks = [
      { name: 'click', window_ms: 10 },
      { name: 'watched', kind: 'play', window_ms: 30 },
    ]
    expect(joinOptions.parse({ tasks })).toEqual({
      tasks: [
        { name: 'click', kind: 'click', windowMs: 10 },
        { name: 'watched', kind: 'play', windowMs: 30 },
      ],
      emission: 'wait',
      observeMs: 0,
      guard: { outageBelow: 0.25, surgeAbove: 3, freezeAtMostMs: 86_400_000 },
      retentionMs: 30,
    })
  })

  it('waits before the first row with fast emission only, and less than any window', () => {
    const tasks = [{ name: 'click', window_ms: 10 }]
    const messageOf = (given: object): string | undefined =>
      joinOptions.safeParse({ tasks, ...given }).error?.issues[0]?.message
    expect(messageOf({ emission: 'fast', observe_ms: 9 })).toBeUndefined()
    expect(messageOf({ emission: 'fast', observe_ms: 10 })).toMatch(/below the window/)
    expect(messageOf({ emission: 'staged', observe_ms: 9 })).toBe('needs emission: fast')
  })

  it('refuses no tasks, two of one name, and a window that is not positive', () => {
    const click = { name: 'click', window_ms: 10 }
    expect(joinOptions.safeParse({ tasks: [] }).success).toBe(false)
    expect(joinOptions.safeParse({ tasks: [click, click] }).error?.issues[0]?.message).toBe(
      'two tasks have the same name',
    )
    expect(joinOptions.safeParse({ tasks: [{ ...click, window_ms: 0 }] }).success).toBe(false)
  })
})

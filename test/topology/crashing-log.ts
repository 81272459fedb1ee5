/**
 * @file A log whose caller dies at one of its awaits: before the call, in the middle of an append, or after the call and before the
 * answer. From there on nothing that the caller asks for is done or answered, as if its process were gone.
 */

import type { OutgoingRecord, TopicLog } from '../../src/broker/topic-log.ts'

/** A log that crashes its caller. */
export interface CrashingLog {
  readonly log: TopicLog
  /** Resolves at the crash, with what was being done. */
  readonly crashed: Promise<string>
  /** How many crash points were passed, the one of the crash included. */
  readonly points: () => number
  /** Resolves when no call is under way in the log itself. */
  readonly settled: () => Promise<void>
}

const CALLS = [
  'createTopic',
  'topics',
  'bounds',
  'append',
  'read',
  'waitForRecords',
  'commitOffsets',
] as const

/** Crashes at the point of this number, counted from 1; 0: never. */
export function crashingLog(inner: TopicLog, at: number): CrashingLog {
  let points = 0
  let dead = false
  let tellCrash: (what: string) => void = () => undefined
  const crashed = new Promise<string>((resolve) => {
    tellCrash = resolve
  })
  const underWay = new Set<Promise<unknown>>()

  /** Never resolves when the caller is dead, or dies here. */
  async function point(what: string): Promise<void> {
    if (!dead) points += 1
    if (!dead && points === at) {
      dead = true
      tellCrash(what)
    }
    if (dead) await new Promise<never>(() => undefined)
  }
  async function call(name: (typeof CALLS)[number], args: readonly unknown[]): Promise<unknown> {
    await point(`before ${name} ${String(args[0])}`)
    if (name === 'append') await halfAppended(args)
    const done = answer(name, args)
    underWay.add(done)
    const result = await done.finally(() => underWay.delete(done))
    await point(`after ${name} ${String(args[0])}`)
    return result
  }
  /** A log without groups takes what is committed for them, so that this await is there, too. */
  async function answer(name: string, args: readonly unknown[]): Promise<unknown> {
    const method: unknown = Reflect.get(inner, name)
    return typeof method === 'function' ? method.apply(inner, [...args]) : undefined
  }
  async function halfAppended([topic, records]: readonly unknown[]): Promise<void> {
    if (dead || points + 1 !== at) return point('in the middle of an append')
    const half = (records as readonly OutgoingRecord[]).slice(0, (records as []).length >> 1)
    if (half.length > 0) await inner.append(String(topic), half)
    await point(`in the middle of append ${String(topic)}`)
  }
  const log = new Proxy(inner, {
    get: (target, name) => {
      const counted = CALLS.find((one) => one === name)
      if (counted !== undefined) return (...args: readonly unknown[]) => call(counted, args)
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const settled = async (): Promise<void> => {
    while (underWay.size > 0) await Promise.allSettled(underWay)
  }
  return { log, crashed, points: () => points, settled }
}

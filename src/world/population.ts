/** @file Who uses the app: users with what the events show of them (age band, country, device). */

import { PURPOSE, randomOf } from './draws.ts'

export const AGE_BANDS = ['13-17', '18-24', '25-34', '35-49', '50+'] as const
export const COUNTRIES = ['BR', 'DE', 'IN', 'JP', 'NG', 'US'] as const
export const DEVICES = ['android', 'ios', 'tablet', 'web'] as const

/** Cumulative shares of the tables above. */
const AGE_UP_TO = [0.14, 0.4, 0.68, 0.88, 1]
const COUNTRY_UP_TO = [0.22, 0.34, 0.6, 0.7, 0.82, 1]
const DEVICE_UP_TO = [0.55, 0.85, 0.92, 1]

/** One user; every number is an index into the table of its name. */
export interface User {
  readonly id: string
  readonly ageBand: number
  readonly country: number
  /** The device of most visits; one visit in ten is on another one. */
  readonly device: number
}

/** The users of the world of a seed. Independent of the number asked for: user 7 is the same among 10 and 10,000. */
export function drawUsers(seed: number, count: number): User[] {
  return Array.from({ length: count }, (_, index) => {
    const random = randomOf(seed, PURPOSE.users, index)
    return {
      id: `u${index}`,
      ageBand: pick(AGE_UP_TO, random.uniform()),
      country: pick(COUNTRY_UP_TO, random.uniform()),
      device: pick(DEVICE_UP_TO, random.uniform()),
    }
  })
}

/** The first index whose cumulative share is above a uniform number. */
export function pick(upTo: readonly number[], uniform: number): number {
  const index = upTo.findIndex((edge) => uniform < edge)
  return index < 0 ? upTo.length - 1 : index
}

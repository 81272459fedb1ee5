/** @file Draws that are functions of where they are used, not of when: any process gets the same world from the seed. */

import { mix32, type Random, randomFrom } from '../random.ts'

/** What a stream of draws is for; each purpose has numbers of its own, so that adding one moves no other. */
export const PURPOSE = {
  users: 1,
  slots: 2,
  effects: 3,
  drift: 4,
  item: 5,
  visit: 6,
  spam: 7,
  skew: 8,
} as const

export type Purpose = (typeof PURPOSE)[keyof typeof PURPOSE]

/** The random stream of one purpose and one index (below 2^32) in the world of a seed. */
export function randomOf(seed: number, purpose: Purpose, index: number): Random {
  const salt = mix32(mix32(seed) ^ Math.imul(purpose, 0x9e3779b1)) & 0x1fffff
  // The whole index goes in beside 21 bits of salt: two indices never share a stream.
  return randomFrom(salt * 2 ** 32 + (index >>> 0))
}

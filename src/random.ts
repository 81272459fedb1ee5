/** @file Seeded randomness: a small generator whose whole state is one snapshot, and stateless draws from hashes. */

/** A seeded stream of numbers; same seed, same numbers, on every machine. */
export interface Random {
  /** Uniform in [0, 1), 32 bits of resolution. */
  uniform(): number
  /** Standard normal (Box-Muller, no cached half, so the state is only `state()`). */
  normal(): number
  /** Uniform integer in [0, bound). */
  integer(bound: number): number
  /** Four 32-bit words: restore with `randomFrom(state)`. */
  state(): readonly [number, number, number, number]
}

/** sfc32 (Chris Doty-Humphrey, PractRand), seeded by one integer or restored from `state()`. */
export function randomFrom(seed: number | readonly [number, number, number, number]): Random {
  let [a, b, c, d] =
    typeof seed === 'number' ? [0x9e3779b9, seed >>> 0, (seed / 2 ** 32) >>> 0, 1] : seed
  const next = (): number => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return t >>> 0
  }
  if (typeof seed === 'number') for (let i = 0; i < 15; i++) next()
  const uniform = (): number => next() / 4294967296
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    integer: (bound) => Math.floor(uniform() * bound),
    state: () => [a, b, c, d],
  }
}

/** A well mixed 32-bit hash of a 32-bit word (murmur3 finaliser): for draws that must not depend on order. */
export function mix32(word: number): number {
  let h = word | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

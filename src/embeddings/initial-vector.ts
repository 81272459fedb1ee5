/** @file The vector of an id that was never seen: a function of (seed, column group, key, column), not of a random stream. */

import { mix32 } from '../random.ts'

/** The 32-bit seed of a column group: its name's characters folded into the table's seed. */
export function columnSeed(tableSeed: number, groupName: string): number {
  let seed = mix32(tableSeed)
  for (let i = 0; i < groupName.length; i++) seed = mix32(seed ^ groupName.charCodeAt(i))
  return seed
}

/** Which values to write: `width` columns uniform with mean 0 and the given standard deviation. */
export interface InitialDraw {
  readonly seed: number
  readonly deviation: number
  readonly width: number
}

/**
 * Writes the initial vector of key (hi, lo) to out[at ..]. Trainer and scorer give an unseen id the same vector, so
 * inserting a row never changes a score. Uniform rather than normal, because no logarithm or cosine is involved:
 * a client in any language reproduces it bit for bit.
 */
export function writeInitialVector(
  draw: InitialDraw,
  hi: number,
  lo: number,
  out: Float32Array,
  at: number,
): void {
  const { seed, deviation, width } = draw
  if (deviation === 0) {
    out.fill(0, at, at + width)
    return
  }
  const word = mix32(hi ^ mix32(lo ^ seed))
  const halfRange = deviation * Math.sqrt(3) // a uniform on [-a, a] has standard deviation a / sqrt(3)
  for (let c = 0; c < width; c++) {
    const uniform = mix32(word + Math.imul(c + 1, 0x9e3779b9)) / 4294967296
    out[at + c] = (2 * uniform - 1) * halfRange
  }
}

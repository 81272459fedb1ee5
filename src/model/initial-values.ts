/**
 * @file First values of parameters, each drawn from a hash of (seed, name, index): adding a task or an expert changes no
 * other draw, and the same seed gives the same bytes everywhere.
 */

import { mix32 } from '../random.ts'
import type { Initial } from './model.ts'

/** Writes the initial values of the parameter called `name` into `values`. */
export function fillInitial(
  values: Float32Array | Float64Array,
  initial: Initial,
  seed: number,
  name: string,
): void {
  const key = hashName(seed, name)
  switch (initial.kind) {
    case 'zeros':
      values.fill(0)
      return
    case 'constant':
      values.fill(initial.value)
      return
    case 'glorot': {
      const limit = Math.sqrt(6 / (initial.fanIn + initial.fanOut))
      for (let i = 0; i < values.length; i++) values[i] = (2 * uniform(key, i) - 1) * limit
      return
    }
    case 'normal': {
      const { mean, deviation } = initial
      for (let i = 0; i < values.length; i++) values[i] = mean + deviation * normal(key, i)
      return
    }
    default:
      initial satisfies never
  }
}

/** FNV-1a over the name, keyed by the seed. */
function hashName(seed: number, name: string): number {
  let hash = mix32(0x811c9dc5 ^ seed)
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  }
  return mix32(hash)
}

/** In (0, 1), never an end point: its logarithm is finite. */
function uniform(key: number, index: number): number {
  return (mix32(key + Math.imul(index + 1, 0x9e3779b9)) + 0.5) / 2 ** 32
}

/** Box-Muller on two draws. */
function normal(key: number, index: number): number {
  const radius = Math.sqrt(-2 * Math.log(uniform(key, 2 * index)))
  return radius * Math.cos(2 * Math.PI * uniform(key, 2 * index + 1))
}

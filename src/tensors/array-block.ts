/** @file Where an array engine keeps its numbers: blocks of one float type, reused by size, with counted handles. */

import type { FloatArray } from './engine.ts'

/** A run of numbers. `values` may be a fresh view at each read (wasm memory moves when it grows): never keep it. */
export interface Block {
  readonly values: FloatArray
  /** How many tensors share it; the engine's to count. */
  handles: number
}

/** Hands out blocks of undefined content and takes them back. */
export interface BlockStore {
  readonly dtype: 'float32' | 'float64'
  allocate(size: number): Block
  release(block: Block): void
  /** Blocks given out and not yet released. */
  inUse(): number
}

/** Four capacities per power of two: a training loop's sizes repeat, a stream's batch sizes nearly do. */
function capacityFor(size: number): number {
  if (size <= 4) return 4
  const step = 2 ** (Math.ceil(Math.log2(size)) - 3)
  return Math.ceil(size / step) * step
}

/** Blocks in the JavaScript heap. Holds at most what was once in use at one time, per capacity. */
export class HeapBlocks implements BlockStore {
  readonly dtype: 'float32' | 'float64'
  readonly #free = new Map<number, FloatArray[]>()
  #inUse = 0

  constructor(dtype: 'float32' | 'float64') {
    this.dtype = dtype
  }

  allocate(size: number): Block {
    this.#inUse++
    const capacity = capacityFor(size)
    const whole = this.#free.get(capacity)?.pop() ?? this.#create(capacity)
    return { values: whole.length === size ? whole : whole.subarray(0, size), handles: 1 }
  }

  release({ values }: Block): void {
    this.#inUse--
    const capacity = capacityFor(values.length)
    const whole =
      this.dtype === 'float64'
        ? new Float64Array(values.buffer, 0, capacity)
        : new Float32Array(values.buffer, 0, capacity)
    const free = this.#free.get(capacity)
    if (free === undefined) this.#free.set(capacity, [whole])
    else free.push(whole)
  }

  inUse(): number {
    return this.#inUse
  }

  #create(capacity: number): FloatArray {
    return this.dtype === 'float64' ? new Float64Array(capacity) : new Float32Array(capacity)
  }
}

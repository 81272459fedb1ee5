/** @file The plain engine: typed arrays in the JavaScript heap, no dependency; what scorers and numeric tests run on. */

import { HeapBlocks } from './array-block.ts'
import { ArrayEngine } from './array-engine.ts'
import { TiledProducts } from './array-products.ts'
import type { Engine } from './engine.ts'

/** A new plain engine. float64 is for tests and for reference scores; float32 rounds where the other engines round. */
export function plainEngine(dtype: 'float32' | 'float64' = 'float32'): Engine {
  const store = new HeapBlocks(dtype)
  return new ArrayEngine(`plain-${dtype}`, store, new TiledProducts(store))
}

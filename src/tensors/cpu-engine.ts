/** @file Opens the tfjs cpu engine: the last resort of `tfjs`, where neither the native library nor wasm starts. */

import type { KernelBackend, KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import { MillraceError } from '../errors.ts'
import { type Block, type BlockStore, HeapBlocks } from './array-block.ts'
import { ArrayEngine } from './array-engine.ts'
import { type BatchSize, finishLayer, type LayerEnd, type Products } from './array-products.ts'
import type { Engine, FloatArray } from './engine.ts'

/** Products by the tfjs JavaScript backend, which accumulates in blocks; everything else is the plain engine's. */
class CpuProducts implements Products {
  readonly #backend: KernelBackend
  readonly #kernel: KernelConfig
  readonly #store: BlockStore

  constructor(backend: KernelBackend, kernel: KernelConfig, store: BlockStore) {
    this.#backend = backend
    this.#kernel = kernel
    this.#store = store
  }

  product(a: Block, b: Block, size: BatchSize): Block {
    const { batch, m, k, n, transposeA, transposeB } = size
    const left = this.#enter(a.values, [batch, ...(transposeA ? [k, m] : [m, k])])
    const right = this.#enter(b.values, [batch, ...(transposeB ? [n, k] : [k, n])])
    const inputs = { a: left, b: right }
    const attrs = { transposeA, transposeB }
    const info = this.#kernel.kernelFunc({ inputs, attrs, backend: this.#backend })
    if (Array.isArray(info)) throw new MillraceError('ENGINE', 'a cpu product gave a list')
    const out = this.#store.allocate(batch * m * n)
    const values = this.#backend.readSync(info.dataId)
    if (values instanceof Float32Array) out.values.set(values)
    for (const used of [left, right, info]) this.#backend.disposeData(used.dataId)
    return out
  }

  layer(x: Block, weight: Block, size: BatchSize, end: LayerEnd): Block {
    const out = this.product(x, weight, size)
    finishLayer(out.values, end)
    return out
  }

  /** The cpu backend keeps a reference, not a copy; it is given back before the values change. */
  #enter(values: FloatArray, shape: number[]): TensorInfo {
    const floats = values instanceof Float32Array ? values : Float32Array.from(values)
    return { dataId: this.#backend.write(floats, shape, 'float32'), shape, dtype: 'float32' }
  }
}

/** A tfjs cpu engine; an ENGINE error when the packages are missing. */
export async function openCpuEngine(): Promise<Engine> {
  const core = await import('@tensorflow/tfjs-core')
  await import('@tensorflow/tfjs-backend-cpu')
  const backend = await core.findBackendFactory('cpu')?.()
  const kernel = core.getKernel('BatchMatMul', 'cpu')
  if (backend === undefined || kernel === undefined) {
    throw new MillraceError('ENGINE', 'the tfjs cpu backend did not start', {
      remedy: 'use the plain engine, or reinstall @tensorflow/tfjs-backend-cpu',
    })
  }
  const store = new HeapBlocks('float32')
  return new ArrayEngine('tfjs-cpu', store, new CpuProducts(backend, kernel, store))
}

/** @file Memory and products of the wasm engine: typed-array kernels run on the wasm heap, XNNPACK multiplies there. */

import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { MillraceError } from '../errors.ts'
import type { Block, BlockStore } from './array-block.ts'
import {
  type BatchSize,
  finishLayer,
  type LayerEnd,
  type Products,
  TiledProducts,
} from './array-products.ts'
import { transposeMatrices } from './array-rows.ts'

/** A block that is a tensor of the wasm backend. The view is made at each read: growth of the heap detaches old ones. */
class WasmBlock implements Block {
  handles = 1
  readonly info: TensorInfo
  readonly #backend: BackendWasm

  constructor(backend: BackendWasm, info: TensorInfo) {
    this.#backend = backend
    this.info = info
  }

  get values(): Float32Array {
    const view = this.#backend.typedArrayFromHeap(this.info)
    if (view instanceof Float32Array) return view
    throw new MillraceError('ENGINE', `a wasm tensor of dtype ${this.info.dtype}`)
  }

  /** The number kernels know it by. */
  get id(): number {
    return this.#backend.dataIdMap.get(this.info.dataId).id
  }
}

/**
 * Blocks on the wasm heap. They are never reused under the same tensor id: XNNPACK keeps the packed right operand by id
 * until the tensor is disposed, so a recycled id would multiply by the values of its former life.
 */
export class WasmBlocks implements BlockStore {
  readonly dtype = 'float32'
  readonly #backend: BackendWasm

  constructor(backend: BackendWasm) {
    this.#backend = backend
  }

  allocate(size: number): WasmBlock {
    return new WasmBlock(this.#backend, this.#backend.makeOutput([size], 'float32'))
  }

  release(block: Block): void {
    this.#backend.disposeData(wasmBlock(block).info.dataId)
  }

  inUse(): number {
    return this.#backend.numDataIds()
  }
}

/** The backend's compiled product: ids, shapes as bytes of int32, ranks, transposes, id of the result. */
export type WasmMatMul = (
  a: number,
  shapeA: Uint8Array,
  rankA: number,
  b: number,
  shapeB: Uint8Array,
  rankB: number,
  transposeA: boolean,
  transposeB: boolean,
  out: number,
) => void

/** Below this many multiplications the call into wasm, 5 us, costs more than the product does in JavaScript. */
const SMALL_PRODUCT = 10_000

/**
 * Products by XNNPACK, which is fast (40 GFLOP/s) only for one product of untransposed operands, so operands are
 * transposed first; small products and batches of them run in JavaScript on the same memory. Bias and activation are
 * added in JavaScript too: XNNPACK keeps one packed weight per bias it has seen, and its relu is a clamp, which may turn
 * NaN into a number (law 8 wants to see it).
 */
export class WasmProducts implements Products {
  readonly #matMul: WasmMatMul
  readonly #store: WasmBlocks
  readonly #tiled: TiledProducts

  constructor(matMul: WasmMatMul, store: WasmBlocks) {
    this.#matMul = matMul
    this.#store = store
    this.#tiled = new TiledProducts(store)
  }

  product(a: Block, b: Block, size: BatchSize): Block {
    const { m, k, n, transposeA, transposeB } = size
    if (size.batch > 1 || m * k * n < SMALL_PRODUCT) return this.#tiled.product(a, b, size)
    const left = transposeA ? this.#transposed(a, k, m) : a
    const right = transposeB ? this.#transposed(b, n, k) : b
    const out = this.#store.allocate(m * n)
    const { id } = wasmBlock(left)
    const shapes = [shapeBytes(m, k), shapeBytes(k, n)] as const
    this.#matMul(id, shapes[0], 3, wasmBlock(right).id, shapes[1], 3, false, false, out.id)
    if (left !== a) this.#store.release(left)
    if (right !== b) this.#store.release(right)
    return out
  }

  layer(x: Block, weight: Block, size: BatchSize, end: LayerEnd): Block {
    const out = this.product(x, weight, size)
    finishLayer(out.values, end)
    return out
  }

  #transposed(block: Block, rows: number, columns: number): Block {
    const out = this.#store.allocate(rows * columns)
    transposeMatrices(out.values, block.values, rows, columns)
    return out
  }
}

/** A batch of one matrix, as the kernel wants it. */
function shapeBytes(rows: number, columns: number): Uint8Array {
  return new Uint8Array(Int32Array.of(1, rows, columns).buffer)
}

function wasmBlock(block: Block): WasmBlock {
  if (block instanceof WasmBlock) return block
  throw new MillraceError('ENGINE', 'a block that is not on the wasm heap')
}

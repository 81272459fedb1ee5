/** @file An engine whose tensors are typed arrays, wherever they live: the JavaScript heap or a wasm module's memory. */

import type { Block, BlockStore } from './array-block.ts'
import {
  addArrays,
  affineArray,
  gramOfArrays,
  multiplyArrays,
  subtractArrays,
  unaryGradientKernels,
  unaryKernels,
  weightedSumOfArrays,
} from './array-elementwise.ts'
import { mixExpertGradientRows, mixGatesGradientRows, mixRows } from './array-mixture.ts'
import type { Products } from './array-products.ts'
import {
  copyColumns,
  repeatEach,
  softmaxGradientRows,
  softmaxRows,
  sumEachColumn,
  sumEachRow,
  totalOf,
  transposeMatrices,
} from './array-rows.ts'
import type {
  Activation,
  Engine,
  EngineName,
  FloatArray,
  ProductOptions,
  Tensor,
  Unary,
} from './engine.ts'
import { lastAxis, sizeOf } from './engine.ts'
import {
  concatShape,
  productShape,
  productSize,
  rowsOf,
  transposedShape,
  unusableTensor,
  withLast,
} from './kernel-shapes.ts'
import { walkOf } from './walk.ts'

/** A handle on a block; several handles may share one. */
class ArrayTensor implements Tensor {
  readonly shape: readonly number[]
  /** Gone once disposed. */
  block: Block | undefined

  constructor(shape: readonly number[], block: Block) {
    this.shape = shape
    this.block = block
  }
}

type Shape = readonly number[]

/** All kernels but the products, which differ with where the numbers live. Deterministic: one thread, fixed order. */
export class ArrayEngine implements Engine {
  readonly name: EngineName
  readonly dtype: 'float32' | 'float64'
  readonly #store: BlockStore
  readonly #products: Products
  #live = 0
  #columnSums = new Float64Array(0)

  constructor(name: EngineName, store: BlockStore, products: Products) {
    this.name = name
    this.dtype = store.dtype
    this.#store = store
    this.#products = products
  }

  upload(values: FloatArray, shape: Shape): Tensor {
    return this.#fill(shape, (out) => out.set(values))
  }

  read(tensor: Tensor): FloatArray {
    return valuesOf(tensor).slice()
  }

  dispose(tensor: Tensor): void {
    const block = blockOf(tensor)
    if (tensor instanceof ArrayTensor) tensor.block = undefined
    this.#live--
    block.handles--
    if (block.handles === 0) this.#store.release(block)
  }

  liveTensors(): number {
    return this.#live
  }

  liveBuffers(): number {
    return this.#store.inUse()
  }

  matMul(a: Tensor, b: Tensor, options: ProductOptions = {}): Tensor {
    return this.#product(a, b, 1, options)
  }

  batchMatMul(a: Tensor, b: Tensor, options: ProductOptions = {}): Tensor {
    return this.#product(a, b, a.shape[0]!, options)
  }

  linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | undefined,
    activation: Activation | undefined,
    slope: number,
  ): Tensor {
    const size = productSize(x, weight, {})
    const end = { bias: bias === undefined ? undefined : blockOf(bias), activation, slope }
    const block = this.#products.layer(blockOf(x), blockOf(weight), { batch: 1, ...size }, end)
    return this.#tensor(productShape(x, size), block)
  }

  add(a: Tensor, b: Tensor): Tensor {
    return this.#fill(a.shape, (out) =>
      addArrays(out, valuesOf(a), valuesOf(b), walkOf(a.shape, b.shape)),
    )
  }

  sub(a: Tensor, b: Tensor): Tensor {
    return this.#fill(a.shape, (out) =>
      subtractArrays(out, valuesOf(a), valuesOf(b), walkOf(a.shape, b.shape)),
    )
  }

  mul(a: Tensor, b: Tensor): Tensor {
    return this.#fill(a.shape, (out) =>
      multiplyArrays(out, valuesOf(a), valuesOf(b), walkOf(a.shape, b.shape)),
    )
  }

  affine(x: Tensor, factor: number, offset: number): Tensor {
    return this.#fill(x.shape, (out) => affineArray(out, valuesOf(x), factor, offset))
  }

  unary(kind: Unary, x: Tensor, slope: number): Tensor {
    return this.#fill(x.shape, (out) => unaryKernels[kind](out, valuesOf(x), slope))
  }

  unaryGradient(kind: Unary, cotangent: Tensor, x: Tensor, y: Tensor, slope: number): Tensor {
    return this.#fill(x.shape, (out) =>
      unaryGradientKernels[kind](out, valuesOf(cotangent), valuesOf(x), valuesOf(y), slope),
    )
  }

  softmax(x: Tensor): Tensor {
    return this.#fill(x.shape, (out) => softmaxRows(out, valuesOf(x), lastAxis(x.shape)))
  }

  softmaxGradient(cotangent: Tensor, y: Tensor): Tensor {
    return this.#fill(y.shape, (out) =>
      softmaxGradientRows(out, valuesOf(cotangent), valuesOf(y), lastAxis(y.shape)),
    )
  }

  concat(tensors: readonly Tensor[]): Tensor {
    const shape = concatShape(tensors)
    const toWidth = lastAxis(shape)
    return this.#fill(shape, (out) => {
      let to = 0
      for (const part of tensors) {
        const size = lastAxis(part.shape)
        copyColumns(out, valuesOf(part), { size, from: 0, fromWidth: size, to, toWidth })
        to += size
      }
    })
  }

  slice(x: Tensor, begin: number, size: number): Tensor {
    const columns = { size, from: begin, fromWidth: lastAxis(x.shape), to: 0, toWidth: size }
    return this.#fill(withLast(x, size), (out) => copyColumns(out, valuesOf(x), columns))
  }

  pad(x: Tensor, begin: number, width: number): Tensor {
    const size = lastAxis(x.shape)
    const columns = { size, from: 0, fromWidth: size, to: begin, toWidth: width }
    return this.#fill(withLast(x, width), (out) => copyColumns(out.fill(0), valuesOf(x), columns))
  }

  reshape(x: Tensor, shape: Shape): Tensor {
    const block = blockOf(x)
    block.handles++
    return this.#tensor(shape, block)
  }

  transpose(x: Tensor): Tensor {
    const [m, n] = lastTwo(x.shape)
    return this.#fill(transposedShape(x), (out) => transposeMatrices(out, valuesOf(x), m, n))
  }

  sum(x: Tensor): Tensor {
    return this.#fill([], (out) => {
      out[0] = totalOf(valuesOf(x))
    })
  }

  sumLast(x: Tensor): Tensor {
    return this.#fill(rowsOf(x), (out) => sumEachRow(out, valuesOf(x), lastAxis(x.shape)))
  }

  sumRows(x: Tensor): Tensor {
    const width = lastAxis(x.shape)
    if (this.#columnSums.length < width) this.#columnSums = new Float64Array(width)
    return this.#fill([width], (out) => sumEachColumn(out, valuesOf(x), this.#columnSums))
  }

  repeatLast(x: Tensor, width: number): Tensor {
    return this.#fill([...x.shape, width], (out) => repeatEach(out, valuesOf(x), width))
  }

  mix(gates: Tensor, experts: readonly Tensor[]): Tensor {
    const shape = experts[0]!.shape
    return this.#fill(shape, (out) =>
      mixRows(out, valuesOf(gates), experts.map(valuesOf), lastAxis(shape)),
    )
  }

  mixExpertGradient(cotangent: Tensor, gates: Tensor, k: number): Tensor {
    const gate = { k, count: lastAxis(gates.shape), width: lastAxis(cotangent.shape) }
    return this.#fill(cotangent.shape, (out) =>
      mixExpertGradientRows(out, valuesOf(cotangent), valuesOf(gates), gate),
    )
  }

  mixGatesGradient(cotangent: Tensor, experts: readonly Tensor[]): Tensor {
    const [rows, width] = lastTwo(cotangent.shape)
    return this.#fill([rows, experts.length], (out) =>
      mixGatesGradientRows(out, valuesOf(cotangent), experts.map(valuesOf), width),
    )
  }

  weightedSum(tensors: readonly Tensor[], coefficients?: ArrayLike<number>): Tensor {
    return this.#fill(tensors[0]!.shape, (out) =>
      weightedSumOfArrays(out, tensors.map(valuesOf), coefficients),
    )
  }

  gram(tensors: readonly Tensor[]): FloatArray {
    return gramOfArrays(tensors.map(valuesOf))
  }

  #product(a: Tensor, b: Tensor, batch: number, options: ProductOptions): Tensor {
    const size = productSize(a, b, options)
    const block = this.#products.product(blockOf(a), blockOf(b), { batch, ...size })
    return this.#tensor(productShape(a, size), block)
  }

  /** The output is allocated before `write` looks at the operands: allocation may move wasm memory. */
  #fill(shape: Shape, write: (out: FloatArray) => void): Tensor {
    const block = this.#store.allocate(sizeOf(shape))
    write(block.values)
    return this.#tensor(shape, block)
  }

  #tensor(shape: Shape, block: Block): Tensor {
    this.#live++
    return new ArrayTensor(shape, block)
  }
}

function blockOf(tensor: Tensor): Block {
  if (tensor instanceof ArrayTensor && tensor.block !== undefined) return tensor.block
  throw unusableTensor(tensor)
}

function valuesOf(tensor: Tensor): FloatArray {
  return blockOf(tensor).values
}

function lastTwo(shape: Shape): readonly [number, number] {
  return [shape.at(-2) ?? 1, shape.at(-1) ?? 1]
}

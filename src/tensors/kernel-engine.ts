/** @file The native engine: the kernels of native/, called one by one; operands are numbers, nothing is copied between calls. */

import type { RowKernels } from '../row-kernels.ts'
import type {
  Activation,
  DenseKernels,
  Engine,
  FloatArray,
  FusedKernels,
  MixTerm,
  ProductOptions,
  Tensor,
  Unary,
} from './engine.ts'
import { lastAxis, sizeOf } from './engine.ts'
import type { KernelBinding } from './kernel-binding.ts'
import {
  concatShape,
  productShape,
  productSize,
  rowsOf,
  transposedShape,
  withLast,
} from './kernel-shapes.ts'
import { idOf, KernelTensor, kernelTensor } from './kernel-tensor.ts'
import { walkOf } from './walk.ts'

type Shape = readonly number[]

/** Numbers of element-wise functions in native/kernels.h; of an activation: one more. */
const UNARY: readonly Unary[] = ['relu', 'leakyRelu', 'sigmoid', 'exp', 'log', 'sin', 'softplus']
const BINARY = ['add', 'sub', 'mul'] as const

/** Deterministic with any number of threads: every sum has one fixed order. */
export class KernelEngine implements Engine {
  readonly name = 'native'
  readonly dtype = 'float32'
  readonly dense: DenseKernels
  readonly rows: RowKernels
  readonly fused: FusedKernels = {
    inputGradient: (dz, weight, open, onto) => this.#inputGradient(dz, weight, open, onto),
    mixtureGradient: (terms, open) => this.#mixtureGradient(terms, open),
  }
  readonly #kernels: KernelBinding
  #live = 0

  constructor(kernels: KernelBinding) {
    this.#kernels = kernels
    this.dense = {
      squares: (tensor) => kernels.squares(idOf(tensor), sizeOf(tensor.shape)),
      adam: ({ values, mean, square }, gradient, { beta1, beta2, rate, floor, scale }) => {
        kernels.adam(values, mean, square, idOf(gradient), beta1, beta2, rate, floor, scale)
      },
    }
    this.rows = {
      lookUp: ({ shards, pages, pageBits, recordWidth, valueAt, width, ...block }) => {
        const places = Float64Array.of(pageBits, recordWidth, valueAt, width)
        const { hi, lo, count, rows, values } = block
        return kernels.lookUpRows(shards, pages, places, hi, lo, count, rows, values)
      },
      adagrad: (block, { rate, epsilon, keep }) => {
        const { pages, pageBits, recordWidth, rows, gradient, moved } = block
        const { valueAt, stateAt, width } = block
        const places = Float64Array.of(pageBits, recordWidth, valueAt, stateAt, width)
        kernels.adagradRows(pages, places, rows, gradient, moved, rate, epsilon, keep)
      },
    }
  }

  upload(values: FloatArray, shape: Shape): Tensor {
    const floats = values instanceof Float32Array ? values : Float32Array.from(values)
    return this.#tensor(shape, this.#kernels.upload(floats))
  }

  read(tensor: Tensor, into?: FloatArray): FloatArray {
    const size = sizeOf(tensor.shape)
    const fits = into instanceof Float32Array && into.length === size
    const values = fits ? into : new Float32Array(size)
    this.#kernels.read(idOf(tensor), values)
    return values
  }

  dispose(tensor: Tensor): void {
    const { block } = kernelTensor(tensor)
    kernelTensor(tensor).gone = true
    this.#live--
    block.handles--
    if (block.handles === 0) this.#kernels.release(block.id)
  }

  liveTensors(): number {
    return this.#live
  }

  liveBuffers(): number {
    return this.#kernels.inUse()
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
    const { m, k, n } = size
    const end = activation === undefined ? 0 : UNARY.indexOf(activation) + 1
    const added = bias === undefined ? -1 : idOf(bias)
    const [a, b] = [idOf(x), idOf(weight)]
    const id = this.#kernels.product(a, b, 1, m, k, n, 0, 0, added, end, slope)
    return this.#tensor(productShape(x, size), id)
  }

  add(a: Tensor, b: Tensor): Tensor {
    return this.#binary('add', a, b)
  }

  sub(a: Tensor, b: Tensor): Tensor {
    return this.#binary('sub', a, b)
  }

  mul(a: Tensor, b: Tensor): Tensor {
    return this.#binary('mul', a, b)
  }

  affine(x: Tensor, factor: number, offset: number): Tensor {
    return this.#tensor(x.shape, this.#kernels.affine(idOf(x), sizeOf(x.shape), factor, offset))
  }

  unary(kind: Unary, x: Tensor, slope: number): Tensor {
    const id = this.#kernels.unary(UNARY.indexOf(kind), idOf(x), sizeOf(x.shape), slope)
    return this.#tensor(x.shape, id)
  }

  unaryGradient(kind: Unary, cotangent: Tensor, x: Tensor, y: Tensor, slope: number): Tensor {
    const [dy, from, to, size] = [idOf(cotangent), idOf(x), idOf(y), sizeOf(x.shape)]
    const id = this.#kernels.unaryGradient(UNARY.indexOf(kind), dy, from, to, size, slope)
    return this.#tensor(x.shape, id)
  }

  softmax(x: Tensor): Tensor {
    return this.#tensor(x.shape, this.#kernels.softmax(idOf(x), ...rowsAndWidth(x.shape)))
  }

  softmaxGradient(cotangent: Tensor, y: Tensor): Tensor {
    const size = rowsAndWidth(y.shape)
    return this.#tensor(y.shape, this.#kernels.softmaxGradient(idOf(cotangent), idOf(y), ...size))
  }

  concat(tensors: readonly Tensor[]): Tensor {
    const widths = Float64Array.from(tensors, (part) => lastAxis(part.shape))
    const id = this.#kernels.concat(tensors.map(idOf), widths, sizeOf(rowsOf(tensors[0]!)))
    return this.#tensor(concatShape(tensors), id)
  }

  slice(x: Tensor, begin: number, size: number): Tensor {
    const id = this.#kernels.slice(idOf(x), ...rowsAndWidth(x.shape), begin, size)
    return this.#tensor(withLast(x, size), id)
  }

  pad(x: Tensor, begin: number, width: number): Tensor {
    const id = this.#kernels.pad(idOf(x), ...rowsAndWidth(x.shape), begin, width)
    return this.#tensor(withLast(x, width), id)
  }

  reshape(x: Tensor, shape: Shape): Tensor {
    const { block } = kernelTensor(x)
    block.handles++
    this.#live++
    return new KernelTensor(shape, block)
  }

  transpose(x: Tensor): Tensor {
    const [m, n] = [x.shape.at(-2)!, lastAxis(x.shape)]
    const batch = x.shape.slice(0, -2)
    const id = this.#kernels.transpose(idOf(x), sizeOf(batch), m, n)
    return this.#tensor(transposedShape(x), id)
  }

  sum(x: Tensor): Tensor {
    return this.#tensor([], this.#kernels.sum(idOf(x), sizeOf(x.shape)))
  }

  sumLast(x: Tensor): Tensor {
    const id = this.#kernels.sumLast(idOf(x), ...rowsAndWidth(x.shape))
    return this.#tensor(rowsOf(x), id)
  }

  sumRows(x: Tensor): Tensor {
    const [rows, width] = rowsAndWidth(x.shape)
    return this.#tensor([width], this.#kernels.sumRows(idOf(x), rows, width))
  }

  repeatLast(x: Tensor, width: number): Tensor {
    const id = this.#kernels.repeatLast(idOf(x), sizeOf(x.shape), width)
    return this.#tensor([...x.shape, width], id)
  }

  mix(gates: Tensor, experts: readonly Tensor[]): Tensor {
    const { shape } = experts[0]!
    const id = this.#kernels.mix(idOf(gates), experts.map(idOf), ...rowsAndWidth(shape))
    return this.#tensor(shape, id)
  }

  mixExpertGradient(cotangent: Tensor, gates: Tensor, k: number): Tensor {
    const size = rowsAndWidth(cotangent.shape)
    const count = lastAxis(gates.shape)
    const id = this.#kernels.mixExpertGradient(idOf(cotangent), idOf(gates), k, count, ...size)
    return this.#tensor(cotangent.shape, id)
  }

  mixGatesGradient(cotangent: Tensor, experts: readonly Tensor[]): Tensor {
    const [rows, width] = rowsAndWidth(cotangent.shape)
    const id = this.#kernels.mixGatesGradient(idOf(cotangent), experts.map(idOf), rows, width)
    return this.#tensor([rows, experts.length], id)
  }

  weightedSum(tensors: readonly Tensor[], coefficients?: ArrayLike<number>): Tensor {
    const { shape } = tensors[0]!
    const factors = coefficients === undefined ? undefined : Float64Array.from(coefficients)
    const id = this.#kernels.weightedSum(tensors.map(idOf), sizeOf(shape), factors)
    return this.#tensor(shape, id)
  }

  gram(tensors: readonly Tensor[]): FloatArray {
    const products = new Float64Array(tensors.length ** 2)
    this.#kernels.gram(tensors.map(idOf), sizeOf(tensors[0]!.shape), products)
    return products
  }

  #product(a: Tensor, b: Tensor, batch: number, options: ProductOptions): Tensor {
    const size = productSize(a, b, options)
    const { m, k, n } = size
    const [left, right] = [idOf(a), idOf(b)]
    const flags = [Number(size.transposeA), Number(size.transposeB)] as const
    const id = this.#kernels.product(left, right, batch, m, k, n, ...flags, -1, 0, 0)
    return this.#tensor(productShape(a, size), id)
  }

  #inputGradient(dz: Tensor, weight: Tensor, open?: Tensor, onto?: Tensor): Tensor {
    const { m, k, n } = productSize(dz, weight, { transposeB: true })
    const mask = open === undefined ? -1 : idOf(open)
    const [left, right] = [idOf(dz), idOf(weight)]
    const addend = onto === undefined ? undefined : kernelTensor(onto)
    if (addend?.block.handles === 1) {
      // Nobody else sees it: the sum takes its place.
      this.#kernels.inputGradient(left, right, m, k, n, mask, addend.block.id, 1)
      return addend
    }
    const added = addend?.block.id ?? -1
    const id = this.#kernels.inputGradient(left, right, m, k, n, mask, added, 0)
    if (addend !== undefined) this.dispose(addend)
    return this.#tensor([m, n], id)
  }

  #mixtureGradient(terms: readonly MixTerm[], open?: Tensor): Tensor {
    const { shape } = terms[0]!.cotangent
    const cotangents = terms.map(({ cotangent }) => idOf(cotangent))
    const gates = terms.map((term) => idOf(term.gates))
    const places = Float64Array.from(terms.flatMap(({ k, gates }) => [k, lastAxis(gates.shape)]))
    const mask = open === undefined ? -1 : idOf(open)
    const size = rowsAndWidth(shape)
    return this.#tensor(
      shape,
      this.#kernels.mixturesGradient(cotangents, gates, places, ...size, mask),
    )
  }

  #binary(kind: (typeof BINARY)[number], a: Tensor, b: Tensor): Tensor {
    const { width, rowStep, columnStep } = walkOf(a.shape, b.shape)
    const [x, y, size] = [idOf(a), idOf(b), sizeOf(a.shape)]
    const number = BINARY.indexOf(kind)
    const id = this.#kernels.binary(number, x, y, size, width, rowStep, columnStep)
    return this.#tensor(a.shape, id)
  }

  #tensor(shape: Shape, id: number): Tensor {
    this.#live++
    return new KernelTensor(shape, { id, handles: 1 })
  }
}

function rowsAndWidth(shape: Shape): readonly [number, number] {
  const width = lastAxis(shape)
  return [width === 0 ? 0 : sizeOf(shape) / width, width]
}

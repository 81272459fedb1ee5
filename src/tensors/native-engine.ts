/** @file The native engine: TensorFlow's kernels called directly on tfjs-node's addon, without tfjs' bookkeeping. */

import type { Activation, Engine, FloatArray, ProductOptions, Tensor, Unary } from './engine.ts'
import { lastAxis, sameShape, sizeOf } from './engine.ts'
import {
  concatShape,
  productShape,
  productSize,
  rowsOf,
  transposedShape,
  withLast,
} from './kernel-shapes.ts'
import type { NativeBinding } from './native-binding.ts'
import { expertGradientOf, gatesGradientOf, mixOf } from './native-mixture.ts'
import { NativeOperations } from './native-operations.ts'
import { gramOf, weightedSumOf } from './native-task-gradients.ts'
import { idOf, NativeTensor, nativeTensor } from './native-tensor.ts'
import { runUnary, runUnaryGradient } from './native-unary.ts'

type Shape = readonly number[]

/** Deterministic on one machine: measured bitwise equal from run to run and with one or two cores (design section 7). */
export class NativeEngine implements Engine {
  readonly name = 'tfjs-native'
  readonly dtype = 'float32'
  readonly #tf: NativeOperations
  #live = 0

  constructor(binding: NativeBinding) {
    this.#tf = new NativeOperations(binding)
  }

  upload(values: FloatArray, shape: Shape): Tensor {
    return this.#tensor(shape, this.#tf.create(values, shape))
  }

  read(tensor: Tensor): FloatArray {
    return this.#tf.read(idOf(tensor))
  }

  dispose(tensor: Tensor): void {
    this.#tf.free(...nativeTensor(tensor).release())
    this.#live--
  }

  liveTensors(): number {
    return this.#live
  }

  liveBuffers(): number {
    return this.#tf.count()
  }

  matMul(a: Tensor, b: Tensor, options: ProductOptions = {}): Tensor {
    return this.#product('MatMul', ['transpose_a', 'transpose_b'], a, b, options)
  }

  batchMatMul(a: Tensor, b: Tensor, options: ProductOptions = {}): Tensor {
    return this.#product('BatchMatMulV2', ['adj_x', 'adj_y'], a, b, options)
  }

  linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | undefined,
    activation: Activation | undefined,
    slope: number,
  ): Tensor {
    const tf = this.#tf
    const steps = [tf.run('MatMul', [idOf(x), idOf(weight)])]
    if (bias !== undefined) steps.push(tf.run('BiasAdd', [steps.at(-1)!, idOf(bias)]))
    if (activation !== undefined) steps.push(runUnary(tf, activation, steps.at(-1)!, slope))
    const id = steps.pop()!
    tf.free(...steps)
    return this.#tensor(productShape(x, productSize(x, weight, {})), id)
  }

  add(a: Tensor, b: Tensor): Tensor {
    return this.#binary('AddV2', a, b)
  }

  sub(a: Tensor, b: Tensor): Tensor {
    return this.#binary('Sub', a, b)
  }

  mul(a: Tensor, b: Tensor): Tensor {
    return this.#binary('Mul', a, b)
  }

  affine(x: Tensor, factor: number, offset: number): Tensor {
    const scaled = this.#tf.scaled(idOf(x), factor)
    if (offset === 0) return this.#tensor(x.shape, scaled)
    const constant = this.#tf.create(Float64Array.of(offset), [])
    return this.#tensor(x.shape, this.#tf.consume('AddV2', [scaled, constant]))
  }

  unary(kind: Unary, x: Tensor, slope: number): Tensor {
    return this.#tensor(x.shape, runUnary(this.#tf, kind, idOf(x), slope))
  }

  unaryGradient(kind: Unary, cotangent: Tensor, x: Tensor, y: Tensor, slope: number): Tensor {
    const ids = { dy: idOf(cotangent), x: idOf(x), y: idOf(y) }
    return this.#tensor(x.shape, runUnaryGradient(this.#tf, kind, ids, slope))
  }

  softmax(x: Tensor): Tensor {
    return this.#tensor(x.shape, this.#tf.run('Softmax', [idOf(x)]))
  }

  softmaxGradient(cotangent: Tensor, y: Tensor): Tensor {
    const tf = this.#tf
    const weighted = tf.run('Mul', [idOf(cotangent), idOf(y)])
    const inner = tf.sum(weighted, [y.shape.length - 1], true)
    const centred = tf.run('Sub', [idOf(cotangent), inner])
    const id = tf.run('Mul', [idOf(y), centred])
    tf.free(weighted, inner, centred)
    return this.#tensor(y.shape, id)
  }

  concat(tensors: readonly Tensor[]): Tensor {
    const shape = concatShape(tensors)
    return this.#tensor(shape, this.#tf.concat(tensors.map(idOf), shape.length - 1))
  }

  slice(x: Tensor, begin: number, size: number): Tensor {
    return this.#tensor(withLast(x, size), this.#columns(x, begin, size))
  }

  pad(x: Tensor, begin: number, width: number): Tensor {
    const rows = rowsOf(x)
    const after = width - begin - lastAxis(x.shape)
    const margins = [...rows.map((): [number, number] => [0, 0]), [begin, after] as const]
    const id = this.#tf.indexed('Pad', [idOf(x)], [margins], [this.#tf.type('Tpaddings')])
    return this.#tensor(withLast(x, width), id)
  }

  reshape(x: Tensor, shape: Shape): Tensor {
    const tf = this.#tf
    const id = sameShape(x.shape, shape)
      ? tf.run('Identity', [idOf(x)])
      : tf.reshape(idOf(x), shape)
    return this.#tensor(shape, id)
  }

  transpose(x: Tensor): Tensor {
    const rank = x.shape.length
    const order = rank === 3 ? [0, 2, 1] : [1, 0]
    const id = this.#tf.indexed('Transpose', [idOf(x)], [order], [this.#tf.type('Tperm')])
    return this.#tensor(transposedShape(x), id)
  }

  sum(x: Tensor): Tensor {
    const axes = x.shape.map((_, axis) => axis)
    return this.#tensor([], this.#tf.sum(idOf(x), axes))
  }

  sumLast(x: Tensor): Tensor {
    return this.#tensor(rowsOf(x), this.#tf.sum(idOf(x), [x.shape.length - 1]))
  }

  sumRows(x: Tensor): Tensor {
    const id =
      x.shape.length < 2
        ? this.#tf.run('Identity', [idOf(x)])
        : this.#tf.run('BiasAddGrad', [idOf(x)])
    return this.#tensor([lastAxis(x.shape)], id)
  }

  repeatLast(x: Tensor, width: number): Tensor {
    const shape = [...x.shape, width]
    const column = this.#tf.reshape(idOf(x), [...x.shape, 1])
    const id = this.#tf.indexed('BroadcastTo', [column], [shape], [this.#tf.type('Tidx')])
    this.#tf.free(column)
    return this.#tensor(shape, id)
  }

  mix(gates: Tensor, experts: readonly Tensor[]): Tensor {
    return this.#tensor(experts[0]!.shape, mixOf(this.#tf, gates, experts))
  }

  mixExpertGradient(cotangent: Tensor, gates: Tensor, k: number): Tensor {
    return this.#tensor(cotangent.shape, expertGradientOf(this.#tf, cotangent, gates, k))
  }

  mixGatesGradient(cotangent: Tensor, experts: readonly Tensor[]): Tensor {
    const id = gatesGradientOf(this.#tf, cotangent, experts)
    return this.#tensor([cotangent.shape[0]!, experts.length], id)
  }

  weightedSum(tensors: readonly Tensor[], coefficients?: ArrayLike<number>): Tensor {
    return this.#tensor(tensors[0]!.shape, weightedSumOf(this.#tf, tensors, coefficients))
  }

  gram(tensors: readonly Tensor[]): FloatArray {
    return gramOf(this.#tf, tensors)
  }

  #product(
    operation: string,
    [flagA, flagB]: readonly [string, string],
    a: Tensor,
    b: Tensor,
    options: ProductOptions,
  ): Tensor {
    const size = productSize(a, b, options)
    const flags = [this.#tf.bool(flagA, size.transposeA), this.#tf.bool(flagB, size.transposeB)]
    const id = this.#tf.run(operation, [idOf(a), idOf(b)], flags)
    return this.#tensor(productShape(a, size), id)
  }

  #binary(operation: string, a: Tensor, b: Tensor): Tensor {
    const tf = this.#tf
    if (sizeOf(b.shape) !== 1) return this.#tensor(a.shape, tf.run(operation, [idOf(a), idOf(b)]))
    // A single number of any rank: as a scalar it can not raise the rank of the result.
    const scalar = tf.reshape(idOf(b), [])
    const id = tf.run(operation, [idOf(a), scalar])
    tf.free(scalar)
    return this.#tensor(a.shape, id)
  }

  #columns(x: Tensor, begin: number, size: number): number {
    const rows = rowsOf(x)
    const from = [...rows.map(() => 0), begin]
    return this.#tf.indexed('Slice', [idOf(x)], [from, [...rows, size]], [this.#tf.type('Index')])
  }

  #tensor(shape: Shape, id: number): Tensor {
    this.#live++
    return new NativeTensor(shape, id)
  }
}

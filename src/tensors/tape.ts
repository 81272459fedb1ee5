/** @file The tape: records a forward pass over any engine, then answers any number of backward passes on it. */

import { type CrossEntropy, crossEntropyOfLogits } from './binary-cross-entropy.ts'
import type { Activation, Engine, FloatArray, ProductOptions, Tensor, Unary } from './engine.ts'
import { lastAxis, sizeOf } from './engine.ts'
import * as pullback from './pullbacks.ts'
import { type BackwardOptions, Recording, type Seed } from './recording.ts'
import * as check from './shape-checks.ts'
import type { Fusion, Pullback, Var } from './tape-node.ts'
import { combine, type Gradient, type Gradients, gramOf } from './task-gradients.ts'

export type { BackwardOptions, Seed } from './recording.ts'
export type { Var } from './tape-node.ts'

/** What a fused linear layer ends with; `slope` is leakyRelu's (default 0.01). */
export interface LinearOptions {
  readonly activation?: Activation
  readonly slope?: number
}

/**
 * One forward pass and what it needs for gradients. Everything on it, gradients included, belongs to the tape and lives
 * until `dispose()`. Kernels run at once; a backward pass costs only the nodes between its seeds and what it asks for,
 * changes nothing, and may be repeated.
 *
 * Per-task gradients at a cut: `backward([{of: loss_t}], [...cut, ...private], {stopAtWrt: true})` for each task, then
 * `gramOf` and `combine` on the cut's tensors, then one `backward` of the trunk with `{of: cut_k, cotangent: combined_k}`
 * as seeds. A variable reached both ways (the input, through gates and through experts) is asked for in both.
 */
export class Tape {
  readonly #engine: Engine
  readonly #recording: Recording

  constructor(engine: Engine) {
    this.#engine = engine
    this.#recording = new Recording(engine)
  }

  /** An input or parameter to differentiate by; the values are copied. */
  leaf(values: FloatArray, shape: readonly number[]): Var {
    check.valueCount(values, shape)
    return this.#record(this.#engine.upload(values, shape), [])
  }

  /** Values nothing is differentiated by. */
  constant(values: FloatArray, shape: readonly number[]): Var {
    return this.leaf(values, shape)
  }

  /** A leaf whose tensor lives on in the engine beyond this tape (weights of a scorer); it stays the caller's. */
  resident(tensor: Tensor): Var {
    return this.#record(this.#engine.reshape(tensor, tensor.shape), [])
  }

  /** activation(x weight + bias): x [..., k], weight [k, n], bias [n]; one fused operation. */
  linear(x: Var, weight: Var, bias?: Var, options: LinearOptions = {}): Var {
    check.linear(x.shape, weight.shape, bias?.shape)
    if (x.shape.length !== 2) {
      const rows = this.reshape(x, [sizeOf(x.shape) / lastAxis(x.shape), lastAxis(x.shape)])
      const y = this.linear(rows, weight, bias, options)
      return this.reshape(y, [...x.shape.slice(0, -1), lastAxis(y.shape)])
    }
    const { activation, slope = 0.01 } = options
    check.slopeRange(slope)
    const inputs = bias === undefined ? [x, weight] : [x, weight, bias]
    const a = this.#tensor(x)
    const w = this.#tensor(weight)
    const b = bias === undefined ? undefined : this.#tensor(bias)
    const y = this.#engine.linear(a, w, b, activation, slope)
    const fusion = { kind: 'linear', x: a, weight: w, activation, slope } as const
    return this.#record(y, inputs, pullback.ofLinear(a, w, y, activation, slope), fusion)
  }

  /** [m, k] x [k, n]; either operand may be given transposed. */
  matMul(a: Var, b: Var, options: ProductOptions = {}): Var {
    return this.#product('matMul', 2, a, b, options)
  }

  /** [B, m, k] x [B, k, n], one product per leading index; either operand may be given transposed. */
  batchMatMul(a: Var, b: Var, options: ProductOptions = {}): Var {
    return this.#product('batchMatMul', 3, a, b, options)
  }

  /** a + b; b has a's shape, or is a row [n], a column [..., 1] or one number. So in `sub` and `mul`. */
  add(a: Var, b: Var): Var {
    const [x, y] = this.#pair('add', a, b)
    return this.#record(this.#engine.add(x, y), [a, b], pullback.ofSum(x, y, 1))
  }

  /** a - b. */
  sub(a: Var, b: Var): Var {
    const [x, y] = this.#pair('sub', a, b)
    return this.#record(this.#engine.sub(x, y), [a, b], pullback.ofSum(x, y, -1))
  }

  /** a * b, element by element. */
  mul(a: Var, b: Var): Var {
    const [x, y] = this.#pair('mul', a, b)
    return this.#record(this.#engine.mul(x, y), [a, b], pullback.ofMul(x, y))
  }

  /** factor * x. */
  scale(x: Var, factor: number): Var {
    const y = this.#engine.affine(this.#tensor(x), factor, 0)
    return this.#record(y, [x], pullback.ofAffine(factor))
  }

  /** x + c. */
  addScalar(x: Var, c: number): Var {
    return this.#record(this.#engine.affine(this.#tensor(x), 1, c), [x], pullback.ofAffine(1))
  }

  /** max(x, 0); derivative 0 at 0. */
  relu(x: Var): Var {
    return this.#unary('relu', x)
  }

  /** x > 0 ? x : slope * x, slope in [0, 1). */
  leakyRelu(x: Var, slope: number): Var {
    check.slopeRange(slope)
    return this.#unary('leakyRelu', x, slope)
  }

  /** 1 / (1 + exp(-x)). */
  sigmoid(x: Var): Var {
    return this.#unary('sigmoid', x)
  }

  exp(x: Var): Var {
    return this.#unary('exp', x)
  }

  /** Natural logarithm. */
  log(x: Var): Var {
    return this.#unary('log', x)
  }

  sin(x: Var): Var {
    return this.#unary('sin', x)
  }

  /** log(1 + exp(x)), without overflow. */
  softplus(x: Var): Var {
    return this.#unary('softplus', x)
  }

  /** Over the last axis. */
  softmax(x: Var): Var {
    const y = this.#engine.softmax(this.#tensor(x))
    return this.#record(y, [x], pullback.ofSoftmax(y))
  }

  /** Along the last axis; the axes before it agree. */
  concat(xs: readonly Var[]): Var {
    check.concat(xs.map((x) => x.shape))
    const tensors = xs.map((x) => this.#tensor(x))
    return this.#record(this.#engine.concat(tensors), xs, pullback.ofConcat(tensors))
  }

  /** Columns [begin, begin + size) of the last axis. */
  slice(x: Var, begin: number, size: number): Var {
    check.slice(x.shape, begin, size)
    const tensor = this.#tensor(x)
    const columns = this.#engine.slice(tensor, begin, size)
    return this.#record(columns, [x], pullback.ofSlice(tensor, begin))
  }

  /** The same values under another shape of the same size. */
  reshape(x: Var, shape: readonly number[]): Var {
    if (sizeOf(x.shape) !== sizeOf(shape)) throw check.shapeError('reshape', [x.shape, shape])
    const tensor = this.#tensor(x)
    return this.#record(this.#engine.reshape(tensor, shape), [x], pullback.ofReshape(tensor))
  }

  /** Swaps the last two axes of a matrix or of a batch of matrices. */
  transpose(x: Var): Var {
    check.transpose(x.shape)
    return this.#record(this.#engine.transpose(this.#tensor(x)), [x], pullback.ofTranspose)
  }

  /** Sum of all elements, shape []. */
  sum(x: Var): Var {
    const tensor = this.#tensor(x)
    return this.#record(this.#engine.sum(tensor), [x], pullback.ofTotal(tensor))
  }

  /** Sum over the last axis, which goes away. */
  sumLast(x: Var): Var {
    const tensor = this.#tensor(x)
    return this.#record(this.#engine.sumLast(tensor), [x], pullback.ofSumLast(tensor))
  }

  /** sum over k of gates[:, k] * experts[k], fused: gates [B, K], K experts of [B, h] -> [B, h]. */
  mix(gates: Var, experts: readonly Var[]): Var {
    const shapes = experts.map((expert) => expert.shape)
    check.mix(gates.shape, shapes)
    const weights = this.#tensor(gates)
    const tensors = experts.map((expert) => this.#tensor(expert))
    const y = this.#engine.mix(weights, tensors)
    const fusion = { kind: 'mix', gates: weights, experts: tensors } as const
    return this.#record(y, [gates, ...experts], pullback.ofMix(weights, tensors), fusion)
  }

  /** The same values, through which no gradient flows: exactly zero below, not merely small. */
  stopGradient(x: Var): Var {
    return this.#record(this.#engine.reshape(this.#tensor(x), x.shape), [])
  }

  /**
   * Scalar sum of weights * bce / normalizer, default max(1, sum of weights); logits [B] or [B, 1], labels in [0, 1],
   * weights = mask * importance. Stable for any logit; a row of weight 0 contributes exactly nothing.
   */
  bceWithLogits(
    logits: Var,
    labels: FloatArray,
    weights: FloatArray,
    options: { readonly normalizer?: number } = {},
  ): Var {
    check.labelCount(logits.shape, labels, weights)
    return this.lossOf(logits, (z) => crossEntropyOfLogits(z, labels, weights, options.normalizer))
  }

  /** A scalar loss of logits [B] or [B, 1] whose gradient is computed with it, outside the engine. */
  lossOf(logits: Var, measure: (z: FloatArray) => CrossEntropy): Var {
    const { loss, gradient } = measure(this.value(logits))
    const kept = this.#recording.keep(this.#engine.upload(gradient, logits.shape))
    const value = this.#engine.upload(Float64Array.of(loss), [])
    return this.#record(value, [logits], pullback.ofPrecomputed(kept))
  }

  /** The values of a variable: a copy. */
  value(x: Var): FloatArray {
    return this.#engine.read(this.#tensor(x))
  }

  /**
   * Gradients of sum_i <seeds[i].of, seeds[i].cotangent> by each of `wrt`, in that order: tensors of the engine that live
   * as long as the tape, undefined where no path leads (exactly zero). A seed that is itself asked for counts.
   */
  backward(seeds: readonly Seed[], wrt: readonly Var[], options?: BackwardOptions): Gradients {
    return this.#recording.backward(seeds, wrt, options)
  }

  /** The values of one gradient, exact zeros where it is undefined: a copy of the size of `of`, perhaps in `into`. */
  gradientValues(gradient: Gradient, of: Var, into?: FloatArray): FloatArray {
    if (gradient !== undefined) return this.#engine.read(gradient, into)
    const size = sizeOf(of.shape)
    return this.#engine.dtype === 'float64' ? new Float64Array(size) : new Float32Array(size)
  }

  /** T x T Gram matrix of the tasks' gradients, row-major; each task lists its gradients over the same variables. */
  gramOf(gradients: readonly Gradients[]): Float64Array {
    return gramOf(this.#engine, gradients)
  }

  /** Per variable c_1 g_1 + ... + c_T g_T, inside the engine; lives as long as the tape. */
  combine(gradients: readonly Gradients[], coefficients: ArrayLike<number>): Gradients {
    return this.#recording.keepAll(combine(this.#engine, gradients, coefficients))
  }

  /** Frees every tensor of this tape: values, gradients, combinations. */
  dispose(): void {
    this.#recording.dispose()
  }

  #product(
    kernel: 'matMul' | 'batchMatMul',
    rank: number,
    a: Var,
    b: Var,
    options: ProductOptions,
  ): Var {
    check.product(kernel, rank, a.shape, b.shape, options)
    const x = this.#tensor(a)
    const y = this.#tensor(b)
    const product = this.#engine[kernel](x, y, options)
    return this.#record(product, [a, b], pullback.ofProduct(kernel, x, y, options))
  }

  #unary(kind: Unary, x: Var, slope = 0): Var {
    const tensor = this.#tensor(x)
    const y = this.#engine.unary(kind, tensor, slope)
    return this.#record(y, [x], pullback.ofUnary(kind, tensor, y, slope))
  }

  #pair(operation: string, a: Var, b: Var): readonly [Tensor, Tensor] {
    check.broadcast(operation, a.shape, b.shape)
    return [this.#tensor(a), this.#tensor(b)]
  }

  #record(tensor: Tensor, inputs: readonly Var[], pull?: Pullback, fusion?: Fusion): Var {
    return this.#recording.record(tensor, inputs, pull, fusion)
  }

  #tensor(x: Var): Tensor {
    return this.#recording.node(x).tensor
  }
}

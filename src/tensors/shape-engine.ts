/**
 * @file An engine that computes nothing: it follows shapes and writes down which kernel was called on what. A forward pass on it
 * is the model's formula as data.
 */

import { MillraceError } from '../errors.ts'
import type { Activation, Engine, FloatArray, ProductOptions, Tensor, Unary } from './engine.ts'
import {
  concatShape,
  productShape,
  productSize,
  rowsOf,
  transposedShape,
  withLast,
} from './kernel-shapes.ts'

/** One kernel call, or a leaf; what it made is value i, its place in the list. */
export type TracedCall =
  | { readonly op: 'leaf'; readonly values: FloatArray; readonly shape: readonly number[] }
  | {
      readonly op: 'linear'
      readonly of: readonly number[]
      readonly activation?: Activation
      readonly slope?: number
    }
  | {
      readonly op: 'product'
      readonly of: readonly number[]
      readonly transpose: readonly [boolean, boolean]
    }
  | { readonly op: 'add' | 'sub' | 'mul'; readonly of: readonly number[] }
  | {
      readonly op: 'affine'
      readonly of: readonly number[]
      readonly factor: number
      readonly offset: number
    }
  | { readonly op: Unary; readonly of: readonly number[]; readonly slope?: number }
  | {
      readonly op: 'softmax' | 'concat' | 'transpose' | 'sum' | 'sum-last' | 'mix'
      readonly of: readonly number[]
    }
  | {
      readonly op: 'slice'
      readonly of: readonly number[]
      readonly begin: number
      readonly size: number
    }
  | { readonly op: 'reshape'; readonly of: readonly number[]; readonly shape: readonly number[] }

interface TracedTensor extends Tensor {
  readonly index: number
}

/** The calls so far. Gradients and values have no meaning here: asking for one is an error of the program. */
export class ShapeEngine implements Engine {
  readonly name = 'plain-float32'
  readonly dtype = 'float32'
  readonly calls: TracedCall[] = []

  upload(values: FloatArray, shape: readonly number[]): Tensor {
    return this.#call({ op: 'leaf', values, shape }, shape)
  }

  /** There are no values; what is read is the place of the call that would make them. */
  read(tensor: Tensor): FloatArray {
    return Float32Array.of(this.#indexOf(tensor))
  }

  dispose(): void {}
  liveTensors = (): number => 0
  liveBuffers = (): number => 0

  matMul(a: Tensor, b: Tensor, options: ProductOptions = {}): Tensor {
    const size = productSize(a, b, options)
    const transpose = [size.transposeA, size.transposeB] as const
    return this.#call({ op: 'product', of: this.#of(a, b), transpose }, productShape(a, size))
  }

  batchMatMul(a: Tensor, b: Tensor, options?: ProductOptions): Tensor {
    return this.matMul(a, b, options)
  }

  linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | undefined,
    activation: Activation | undefined,
    slope: number,
  ): Tensor {
    const of = bias === undefined ? this.#of(x, weight) : this.#of(x, weight, bias)
    const end = activation === undefined ? {} : { activation, slope }
    return this.#call({ op: 'linear', of, ...end }, productShape(x, productSize(x, weight, {})))
  }

  add = (a: Tensor, b: Tensor): Tensor => this.#call({ op: 'add', of: this.#of(a, b) }, a.shape)
  sub = (a: Tensor, b: Tensor): Tensor => this.#call({ op: 'sub', of: this.#of(a, b) }, a.shape)
  mul = (a: Tensor, b: Tensor): Tensor => this.#call({ op: 'mul', of: this.#of(a, b) }, a.shape)

  affine(x: Tensor, factor: number, offset: number): Tensor {
    return this.#call({ op: 'affine', of: this.#of(x), factor, offset }, x.shape)
  }

  unary(kind: Unary, x: Tensor, slope: number): Tensor {
    return this.#call(
      { op: kind, of: this.#of(x), ...(kind === 'leakyRelu' ? { slope } : {}) },
      x.shape,
    )
  }

  softmax(x: Tensor): Tensor {
    return this.#call({ op: 'softmax', of: this.#of(x) }, x.shape)
  }

  concat(tensors: readonly Tensor[]): Tensor {
    return this.#call({ op: 'concat', of: this.#of(...tensors) }, concatShape(tensors))
  }

  slice(x: Tensor, begin: number, size: number): Tensor {
    return this.#call({ op: 'slice', of: this.#of(x), begin, size }, withLast(x, size))
  }

  /** A second handle on the same values under the same shape is the same value. */
  reshape(x: Tensor, shape: readonly number[]): Tensor {
    if (String(shape) === String(x.shape)) return { ...x }
    return this.#call({ op: 'reshape', of: this.#of(x), shape }, shape)
  }

  transpose(x: Tensor): Tensor {
    return this.#call({ op: 'transpose', of: this.#of(x) }, transposedShape(x))
  }

  sum(x: Tensor): Tensor {
    return this.#call({ op: 'sum', of: this.#of(x) }, [])
  }

  sumLast(x: Tensor): Tensor {
    return this.#call({ op: 'sum-last', of: this.#of(x) }, rowsOf(x))
  }

  mix(gates: Tensor, experts: readonly Tensor[]): Tensor {
    return this.#call({ op: 'mix', of: this.#of(gates, ...experts) }, experts[0]?.shape ?? [])
  }

  unaryGradient = unavailable
  softmaxGradient = unavailable
  pad = unavailable
  sumRows = unavailable
  repeatLast = unavailable
  mixExpertGradient = unavailable
  mixGatesGradient = unavailable
  weightedSum = unavailable
  gram = unavailable

  #indexOf(tensor: Tensor): number {
    const { index } = tensor as Partial<TracedTensor>
    if (index === undefined) throw new MillraceError('BAD_STATE', 'a tensor of another engine')
    return index
  }

  #of(...tensors: readonly Tensor[]): number[] {
    return tensors.map((tensor) => this.#indexOf(tensor))
  }

  #call(call: TracedCall, shape: readonly number[]): Tensor {
    this.calls.push(call)
    const tensor: TracedTensor = { shape, index: this.calls.length - 1 }
    return tensor
  }
}

function unavailable(): never {
  throw new MillraceError('BAD_STATE', 'a traced forward pass has no values and no gradients')
}

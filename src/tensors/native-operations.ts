/** @file TensorFlow operations on native tensor ids: attributes, index tensors and clean-up; one method per shape of call. */

import { MillraceError } from '../errors.ts'
import type { FloatArray } from './engine.ts'
import type { NativeAttribute, NativeBinding } from './native-binding.ts'

/** An int32 argument of an operation. */
type Indices = number | readonly number[] | readonly (readonly [number, number])[]

/** Runs operations eagerly. Ids it returns are the caller's to `free`; index tensors are its own. */
export class NativeOperations {
  readonly #binding: NativeBinding
  readonly #float: NativeAttribute
  /** Attributes of a batched product of operands as they are. */
  readonly plainProduct: readonly NativeAttribute[]
  /** Attributes of a matrix product a b. */
  readonly untransposed: readonly NativeAttribute[]
  /** Attributes of a matrix product a bᵀ. */
  readonly secondTransposed: readonly NativeAttribute[]

  constructor(binding: NativeBinding) {
    this.#binding = binding
    this.#float = { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }
    this.plainProduct = [this.bool('adj_x', false), this.bool('adj_y', false)]
    this.untransposed = [this.bool('transpose_a', false), this.bool('transpose_b', false)]
    this.secondTransposed = [this.bool('transpose_a', false), this.bool('transpose_b', true)]
  }

  /** A float tensor with a copy of the values: the library may go on reading the array it is given. */
  create(values: FloatArray, shape: readonly number[]): number {
    return this.#binding.createTensor(shape, this.#binding.TF_FLOAT, Float32Array.from(values))
  }

  /** A copy of the values. */
  read(id: number): Float32Array {
    const values = this.#binding.tensorDataSync(id)
    if (values instanceof Float32Array) return values
    throw new MillraceError('ENGINE', 'a native tensor that does not hold float32')
  }

  /** Tensors the library holds for this process. */
  count(): number {
    return this.#binding.getNumOfTensors()
  }

  free(...ids: readonly number[]): void {
    for (const id of ids) this.#binding.deleteTensor(id)
  }

  /** An operation on floats with one output. */
  run(
    name: string,
    inputs: readonly number[],
    attributes: readonly NativeAttribute[] = [],
  ): number {
    return this.#binding.executeOp(name, [this.#float, ...attributes], inputs, 1)[0]!.id
  }

  /** `run`, then frees the inputs: for steps in between. */
  consume(
    name: string,
    inputs: readonly number[],
    attributes: readonly NativeAttribute[] = [],
  ): number {
    const out = this.run(name, inputs, attributes)
    this.free(...inputs)
    return out
  }

  /** `run` with int32 arguments (axes, shapes, offsets) after the floats: one number, a list or a list of pairs. */
  indexed(
    name: string,
    inputs: readonly number[],
    indices: readonly Indices[],
    attributes: readonly NativeAttribute[],
  ): number {
    const extra = indices.map((index) => this.#indices(index))
    const out = this.run(name, [...inputs, ...extra], attributes)
    this.free(...extra)
    return out
  }

  /** The same values under another shape; shares the memory. */
  reshape(x: number, shape: readonly number[]): number {
    return this.indexed('Reshape', [x], [shape], [this.type('Tshape')])
  }

  /** Along one axis. */
  concat(parts: readonly number[], axis: number): number {
    if (parts.length === 1) return this.run('Identity', parts)
    return this.indexed('ConcatV2', parts, [axis], [this.int('N', parts.length), this.type('Tidx')])
  }

  /** Tensors of one shape as one, with a new axis. */
  stack(parts: readonly number[], axis: number): number {
    return this.run('Pack', parts, [this.int('N', parts.length), this.int('axis', axis)])
  }

  /** The columns [B, 1] of a matrix [B, count]. */
  columns(x: number, count: number): readonly number[] {
    const axis = this.#indices(1)
    const attributes = [this.#float, this.int('num_split', count)]
    const parts = this.#binding.executeOp('Split', attributes, [axis, x], count)
    this.free(axis)
    return parts.map((part) => part.id)
  }

  /** Over some axes; a sum over none is the value itself. */
  sum(x: number, axes: readonly number[], keep = false): number {
    if (axes.length === 0) return this.run('Identity', [x])
    return this.indexed('Sum', [x], [axes], [this.bool('keep_dims', keep), this.type('Tidx')])
  }

  /** x times a number. */
  scaled(x: number, factor: number): number {
    const scalar = this.create(Float64Array.of(factor), [])
    const out = this.run('Mul', [x, scalar])
    this.free(scalar)
    return out
  }

  bool(name: string, value: boolean): NativeAttribute {
    return { name, type: this.#binding.TF_ATTR_BOOL, value }
  }

  int(name: string, value: number): NativeAttribute {
    return { name, type: this.#binding.TF_ATTR_INT, value }
  }

  float(name: string, value: number): NativeAttribute {
    return { name, type: this.#binding.TF_ATTR_FLOAT, value }
  }

  text(name: string, value: string): NativeAttribute {
    return { name, type: this.#binding.TF_ATTR_STRING, value }
  }

  /** The dtype of an operation's index arguments: int32. */
  type(name: string): NativeAttribute {
    return { name, type: this.#binding.TF_ATTR_TYPE, value: this.#binding.TF_INT32 }
  }

  #indices(indices: Indices): number {
    const shape = shapeOf(indices)
    const values = Int32Array.from([indices].flat(2))
    return this.#binding.createTensor(shape, this.#binding.TF_INT32, values)
  }
}

function shapeOf(indices: Indices): readonly number[] {
  if (typeof indices === 'number') return []
  return Array.isArray(indices[0]) ? [indices.length, 2] : [indices.length]
}

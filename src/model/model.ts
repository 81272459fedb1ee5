/**
 * @file The contract of a model: named parameters and one forward function on the tape, from embedded features to one logit
 * per task. The learner, the scorer and the golden tests know models through this file only.
 *
 * Where task gradients meet. A balancer weighs tasks on what they share, so every model names its *cut*: the values through
 * which shared work enters the parts that differ by task. A learner takes T short backward passes and one long one:
 * 1. for each task t: backward from loss t to the cut, the private cut and every parameter whose place is 'head';
 * 2. the Gram matrix of the task gradients at the cut gives the coefficients c_t;
 * 3. a head parameter gets its own task's gradient when it is private and sum_t c_t g_t when it is shared;
 * 4. one backward pass from the cut with seeds sum_t c_t g_t and from the private cut with seeds sum_t g_t, to the trunk
 *    parameters and to the input, gives the rest. Nothing below the cut reaches a loss by another way.
 */

import type { Stage } from '../stage.ts'
import type { Tape, Var } from '../tensors/tape.ts'

/** Embedded features of B rows. */
export interface ModelInput {
  /** [B, fields * columnsPerField], field-major. */
  readonly x: Var
  /** [B, D] numbers, given exactly when the shape's `dense` is D > 0. */
  readonly dense?: Var
  /** [B, T] sum of the linear weights of the row's ids, given exactly when the model has a wide part. */
  readonly wide?: Var
}

/** The sizes that the job's features and tasks decide. */
export interface ModelShape {
  readonly tasks: readonly string[]
  /** Embedded fields per row, F. */
  readonly fields: number
  /** Width of one embedding, d. */
  readonly dim: number
  /** Numeric inputs per row, D. */
  readonly dense: number
}

/** Whose losses may reach a value: all tasks' (balanced), or the one task's with this index (never balanced). */
export type Owner = 'shared' | number

/** How a parameter starts; drawn from a hash of seed, name and index, so no draw depends on another. */
export type Initial =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'constant'; readonly value: number }
  /** Glorot and Bengio 2010: uniform within sqrt(6 / (fanIn + fanOut)). */
  | { readonly kind: 'glorot'; readonly fanIn: number; readonly fanOut: number }
  | { readonly kind: 'normal'; readonly mean: number; readonly deviation: number }

/** One named parameter. Linear weights are [in, out]. */
export interface ParameterSpec {
  readonly name: string
  readonly shape: readonly number[]
  readonly initial: Initial
  readonly owner: Owner
  /** 'trunk': at or below the cut. 'head': above it, reached by the short backward passes. A private parameter is in the head. */
  readonly place: 'trunk' | 'head'
  /** 'sgd': Adam would cancel the scale that this parameter's gradient carries (DEPHN's gates). */
  readonly optimizer?: 'sgd'
}

/** Softmax weights of one gate, [B, experts]: for reports on which experts are in use. */
export interface GateWeights {
  readonly name: string
  readonly weights: Var
}

/** What one forward pass gives; all on the tape it was made on. */
export interface Forward {
  /** One [B, 1] per task, in the order of the shape's tasks. */
  readonly logits: readonly Var[]
  /** Shared values, as the task-specific parts see them. Never empty. */
  readonly cut: readonly Var[]
  /** Values that only one task's loss reaches although they come straight from the input: STEM's slices, the wide part. */
  readonly privateCut: readonly Var[]
  readonly gates: readonly GateWeights[]
}

/** Looks a parameter up by name; throws BAD_STATE when the model has none of that name. */
export type ParameterSource = (name: string) => Var

/** A part that rescales gradients before the optimizer sees them; its state follows the stream of labels. */
export interface GradientScale extends Stage {
  /** Takes in the labels of a batch; task-major: entry t * rows + i is task t of row i, mask 1 where it is known. */
  observe(labels: Float32Array, mask: Float32Array, rows: number): void
  /** Multiplies gradients in place; both look-ups are by parameter name, and only `names` are asked for. */
  apply(
    gradient: (name: string) => Float32Array | Float64Array | undefined,
    value: (name: string) => Float32Array | Float64Array,
  ): void
  /** The parameters whose gradients it may change. */
  readonly names: readonly string[]
}

/** A multi-task model of one fixed shape. Holds no values: parameters come in by name. */
export interface Model {
  readonly kind: string
  readonly shape: ModelShape
  /** Embedding columns of one id: d, or (T + 1) * d where every task has its own slice (STEM). */
  readonly columnsPerField: number
  /** The learner keeps one linear weight per id and task and gives `wide`. */
  readonly wide: boolean
  /** In canonical order: the order of snapshots and updates. */
  readonly parameters: readonly ParameterSpec[]
  forward(tape: Tape, parameter: ParameterSource, input: ModelInput): Forward
  /** A fresh gradient scale, for the models that have one (DEPHN's virtual gradients). */
  gradientScale?(): GradientScale
}

/**
 * @file One batch on the tape: a forward pass, then one short backward pass per task from its loss to the model's cut, so that
 * task gradients can be compared and combined before the one long pass through the trunk (design section 2, model.ts).
 */

import { type ForwardInput, modelInput } from '../model/embedded-batch.ts'
import type { Forward, Model, ParameterSpec } from '../model/model.ts'
import type { Parameters } from '../model/parameters.ts'
import type { Engine, FloatArray, Tensor } from '../tensors/engine.ts'
import { type Seed, Tape, type Var } from '../tensors/tape.ts'
import { correctedCrossEntropy, type LossCorrection } from './corrected-loss.ts'
import type { TaskTarget } from './task-loss.ts'

/** A gradient tensor of the engine; undefined is exactly zero. */
export type Gradient = Tensor | undefined

/** What the short pass of one task found, in the order of the lists it was asked about. */
export interface TaskPass {
  readonly task: number
  readonly cut: readonly Gradient[]
  readonly privateCut: readonly Gradient[]
  readonly heads: readonly Gradient[]
}

/** Forward and backward passes of one batch; everything on it is freed by `dispose`. */
export class TaskPasses {
  readonly tape: Tape
  readonly forward: Forward
  readonly heads: readonly ParameterSpec[]
  /** Places in `heads` of those that several tasks train. */
  readonly sharedHeads: readonly number[]
  readonly trunk: readonly ParameterSpec[]
  /** The engine steps with dense gradients by itself, and no part of the model rescales them before. */
  readonly keepsGradients: boolean
  readonly inputs: readonly Var[]
  /** Where the gradient of x may be written: as long as the input's own memory. */
  readonly dx: Float32Array | undefined
  readonly #engine: Engine
  readonly #variables: ReadonlyMap<string, Var>

  constructor(engine: Engine, model: Model, parameters: Parameters, input: ForwardInput) {
    const tape = new Tape(engine)
    this.tape = tape
    this.#engine = engine
    this.keepsGradients = engine.dense !== undefined && model.gradientScale === undefined
    this.#variables = new Map(
      model.parameters.map((spec) => [
        spec.name,
        tape.leaf(parameters.view(spec.name), spec.shape),
      ]),
    )
    const given = modelInput(tape, input)
    this.dx = input.dx
    this.inputs = given.wide === undefined ? [given.x] : [given.x, given.wide]
    this.forward = model.forward(tape, (name) => this.variable(name), given)
    this.heads = model.parameters.filter((spec) => spec.place === 'head')
    this.sharedHeads = [...this.heads.keys()].filter((i) => this.heads[i]?.owner === 'shared')
    this.trunk = model.parameters.filter((spec) => spec.place === 'trunk')
  }

  /** Probabilities, task-major: entry t * rows + i. */
  probabilities(rows: number): Float32Array {
    const all = new Float32Array(this.forward.logits.length * rows)
    for (const [task, logits] of this.forward.logits.entries()) {
      const values = this.tape.value(logits)
      for (let row = 0; row < rows; row++) all[task * rows + row] = sigmoid(values[row]!)
    }
    return all
  }

  /** Mean loss of each task; 0 where no row of the batch has a label. */
  losses(
    targets: readonly TaskTarget[],
    corrections: readonly (LossCorrection | undefined)[] = [],
  ): Var[] {
    return targets.map((target, task) => {
      const logits = this.#logits(task)
      const correction = corrections[task]
      if (correction !== undefined) {
        return this.tape.lossOf(logits, (z) => correctedCrossEntropy(z, target, correction))
      }
      const { labels, weights, normalizer } = target
      return this.tape.bceWithLogits(logits, labels, weights, { normalizer })
    })
  }

  /** The short pass of one task. */
  passOf(task: number, loss: Var): TaskPass {
    const { cut, privateCut } = this.forward
    const wrt = [...cut, ...privateCut, ...this.#variablesOf(this.heads)]
    const gradients = this.#shortPass([{ of: loss }], wrt)
    return {
      task,
      cut: gradients.slice(0, cut.length),
      privateCut: gradients.slice(cut.length, cut.length + privateCut.length),
      heads: gradients.slice(cut.length + privateCut.length),
    }
  }

  /** A long pass from gradients at the cut and the private cut to the trunk parameters and, of the inputs, the `wanted` ones. */
  longPass(
    cut: readonly Gradient[],
    privateCut: readonly Gradient[],
    wanted: readonly Var[] = this.inputs,
  ): { trunk: readonly Gradient[]; inputs: readonly Gradient[] } {
    const seeds = [
      ...this.forward.cut.map((of, i) => ({ of, cotangent: cut[i] })),
      ...this.forward.privateCut.map((of, i) => ({ of, cotangent: privateCut[i] })),
    ].flatMap(({ of, cotangent }) => (cotangent === undefined ? [] : [{ of, cotangent }]))
    const trunk = this.#variablesOf(this.trunk)
    const gradients = this.tape.backward(seeds, [...trunk, ...wanted])
    const inputs = gradients.slice(trunk.length)
    return {
      trunk: gradients.slice(0, trunk.length),
      inputs: this.inputs.map((input) => inputs[wanted.indexOf(input)]),
    }
  }

  /** A long pass to the inputs alone: half the work, for the gradients of embedding rows. */
  inputPass(cut: readonly Gradient[]): readonly Gradient[] {
    const seeds = this.forward.cut.flatMap((of, i) => {
      const cotangent = cut[i]
      return cotangent === undefined ? [] : [{ of, cotangent }]
    })
    return this.tape.backward(seeds, this.inputs)
  }

  /**
   * The short passes of all losses in two: sum_t weights[t] L_t to what tasks share, sum_t L_t to what each owns, which is
   * therefore not scaled. Nothing is divided by a weight, so a weight of 0 is exact too.
   */
  weightedPass(losses: readonly Var[], weights: readonly number[]): Omit<TaskPass, 'task'> {
    const { cut, privateCut } = this.forward
    const shared = this.heads.filter((spec) => spec.owner === 'shared')
    const own = this.heads.filter((spec) => spec.owner !== 'shared')
    const weighted = losses.map((of, i) => ({ of, cotangent: Float64Array.of(weights[i] ?? 0) }))
    const plain = losses.map((of) => ({ of }))
    const toShared = this.#shortPass(weighted, [...cut, ...this.#variablesOf(shared)])
    const toOwn = this.#shortPass(plain, [...privateCut, ...this.#variablesOf(own)])
    const byName = new Map([
      ...shared.map((spec, i) => [spec.name, toShared[cut.length + i]] as const),
      ...own.map((spec, i) => [spec.name, toOwn[privateCut.length + i]] as const),
    ])
    return {
      cut: toShared.slice(0, cut.length),
      privateCut: toOwn.slice(0, privateCut.length),
      heads: this.heads.map((spec) => byName.get(spec.name)),
    }
  }

  /** One pass from every loss at once with weight 1: the same sums as short and long passes with all coefficients 1. */
  singlePass(losses: readonly Var[]): {
    heads: readonly Gradient[]
    trunk: readonly Gradient[]
    inputs: readonly Gradient[]
  } {
    const wrt = [...this.#variablesOf(this.heads), ...this.#variablesOf(this.trunk), ...this.inputs]
    const gradients = this.tape.backward(
      losses.map((of) => ({ of })),
      wrt,
    )
    const trunkAt = this.heads.length
    const inputsAt = trunkAt + this.trunk.length
    return {
      heads: gradients.slice(0, trunkAt),
      trunk: gradients.slice(trunkAt, inputsAt),
      inputs: gradients.slice(inputsAt),
    }
  }

  variable(name: string): Var {
    const variable = this.#variables.get(name)
    if (variable === undefined) throw new RangeError(`no parameter ${name}`)
    return variable
  }

  /** The values of a gradient, zeros where it is undefined; perhaps in `into`. */
  valuesOf(gradient: Gradient, of: Var, into?: FloatArray): FloatArray {
    return this.tape.gradientValues(gradient, of, into)
  }

  /** Euclidean norm of gradients without reading them; undefined where the engine does not offer it. */
  normInside(gradients: readonly Gradient[]): number | undefined {
    const kernels = this.#engine.dense
    if (kernels === undefined) return undefined
    let sum = 0
    for (const gradient of gradients) if (gradient !== undefined) sum += kernels.squares(gradient)
    return Math.sqrt(sum)
  }

  dispose(): void {
    this.tape.dispose()
  }

  #shortPass(seeds: readonly Seed[], wrt: readonly Var[]): readonly Gradient[] {
    return this.tape.backward(seeds, wrt, { stopAtWrt: true })
  }

  #variablesOf(specs: readonly ParameterSpec[]): Var[] {
    return specs.map((spec) => this.variable(spec.name))
  }

  #logits(task: number): Var {
    const logits = this.forward.logits[task]
    if (logits === undefined) throw new RangeError(`the model has no task ${task}`)
    return logits
  }
}

function sigmoid(logit: number): number {
  return logit >= 0 ? 1 / (1 + Math.exp(-logit)) : Math.exp(logit) / (1 + Math.exp(logit))
}

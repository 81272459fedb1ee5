/**
 * @file The learner: predict, then learn (law 1). Scores a batch with the model as it stands, then takes one step with it:
 * dense weights by Adam, rows of the table by their sparse optimizer, task gradients mixed by the balancers. Whatever is not
 * finite is noticed before anything moves.
 */

import type { BalancerState } from '../balance/balancer.ts'
import type { AnyBalancer } from '../balance/balancers.ts'
import type { RowBalancer } from '../balance/row-balancer.ts'
import { ByteReader, ByteWriter } from '../bytes.ts'
import type { ValuesEdit } from '../embeddings/pooled-lookup.ts'
import type { EmbeddingTable } from '../embeddings/table.ts'
import type { BatchLabels, EncodedFeatures } from '../features/encoded-batch.ts'
import { EmbeddedBatch } from '../model/embedded-batch.ts'
import type { GradientScale } from '../model/model.ts'
import type { Stage } from '../stage.ts'
import { type BatchGradients, balancedGradients } from './balanced-gradients.ts'
import { cosinesOf, type GradientPlace, initialStates } from './balancing.ts'
import type { LossCorrection } from './corrected-loss.ts'
import { type DenseParts, denseNorm, denseStep } from './dense-step.ts'
import { type Examination, examine } from './examination.ts'
import { readGradients } from './gradient-values.ts'
import type { RateSchedule } from './rate-schedule.ts'
import { balanceRows, type RowMemory } from './row-step.ts'
import { type TaskTarget, taskTargets } from './task-loss.ts'
import { notFinite, type StepNames, type TaskLosses, taskLosses } from './task-losses.ts'
import { TaskPasses } from './task-passes.ts'

/** What a learner is made of; all of it belongs to the learner from then on. */
export interface LearnerParts extends DenseParts {
  readonly table: EmbeddingTable
  readonly balancer: AnyBalancer
  /** Acts on each embedding row by itself, beside `balancer`; one that remembers needs a table with memory (`tableColumns`). */
  readonly rowBalancer?: RowBalancer
  readonly gradientsAt: GradientPlace
  /** How the learning rates change over the steps; absent: they stay. */
  readonly schedule?: RateSchedule
  /** Multiples of the rows' learning rates, by slot; absent: 1 for all. */
  readonly slotRates?: readonly number[] | undefined
  /** Per task how the loss is corrected for labels that are late or left out; absent or undefined: not at all. */
  readonly corrections?: readonly (LossCorrection | undefined)[]
}

/** What happened to one batch. */
export interface LearnedBatch {
  /** Predictions made before the step, task-major. */
  readonly probabilities: Float32Array
  /** Mean loss per task before the step. */
  readonly losses: Float64Array
  readonly coefficients: Float64Array
  /** Cosines of the task gradients, row-major T x T; absent when the balancer did not need them. */
  readonly cosines: Float64Array | undefined
  /** Norm of the dense gradient before clipping. */
  readonly gradientNorm: number
  /** What the learning rates were multiplied by. */
  readonly rateFactor: number
}

/** Snapshot: parameters, moments, balancers, gradient scale, schedule and step count; the table writes its own (it is incremental). */
export class Learner implements Stage {
  readonly parts: LearnerParts
  readonly #embedded: EmbeddedBatch
  readonly #scale: GradientScale | undefined
  #states: readonly BalancerState[]
  #rowState: BalancerState
  #steps = 0
  #samples = 0

  /** BAD_SETTINGS when the balancer cannot work where gradients are to be compared. */
  constructor(parts: LearnerParts) {
    this.parts = parts
    const { model, table, slotRates, engine } = parts
    this.#embedded = new EmbeddedBatch(table, model, { slotRates, kernels: engine.rows })
    this.#scale = model.gradientScale?.()
    this.#states = initialStates(parts.balancer, parts.gradientsAt, model)
    this.#rowState = parts.rowBalancer?.init() ?? {}
  }

  /** Steps taken. */
  get steps(): number {
    return this.#steps
  }

  /** Rows learned from. */
  get samples(): number {
    return this.#samples
  }

  /** Probabilities, task-major, with the rows as they are or as `edit` leaves them; changes nothing. */
  score(features: EncodedFeatures, edit?: ValuesEdit): Float32Array {
    return this.#forward(features, (passes) => passes.probabilities(features.rows), edit)
  }

  /** A look inside the model on this batch; changes nothing. */
  examine(features: EncodedFeatures, batch: BatchLabels): Examination {
    const targets = taskTargets(batch, this.parts.model.shape.tasks.length, features.rows)
    return this.#forward(features, (passes) =>
      examine(
        passes,
        taskLosses(passes, targets, this.#names, this.parts.corrections),
        features.rows,
      ),
    )
  }

  /**
   * Scores the batch, then learns from it; a batch without any label teaches nothing. NUMERIC when a loss or a gradient is not
   * finite, naming the task and the step: model and balancers are then as before.
   */
  learn(features: EncodedFeatures, batch: BatchLabels): LearnedBatch {
    const targets = taskTargets(batch, this.parts.model.shape.tasks.length, features.rows)
    const learned = this.#forward(features, (passes) => {
      const probabilities = passes.probabilities(features.rows)
      const losses = taskLosses(passes, targets, this.#names, this.parts.corrections)
      return {
        probabilities,
        losses: losses.values,
        rateFactor: this.#rateFactor,
        ...this.#step(passes, losses, features, batch),
      }
    })
    this.parts.schedule?.advance()
    this.#afterStep(features, targets)
    this.#steps += 1
    this.#samples += features.rows
    return learned
  }

  /** The world has moved: learning rates that decay may start again. */
  noteDrift(): void {
    this.parts.schedule?.noteDrift()
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter(this.parts.parameters.values.byteLength * 3 + 4096)
    writer.f64(this.#steps).f64(this.#samples).json(this.#states).json(this.#rowState)
    writer.bytes(this.parts.parameters.snapshot()).bytes(this.parts.adam.snapshot())
    writer.bytes(this.#scale?.snapshot() ?? new Uint8Array(0))
    return writer.bytes(this.parts.schedule?.snapshot() ?? new Uint8Array(0)).finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    this.#steps = reader.f64()
    this.#samples = reader.f64()
    this.#states = reader.json() as BalancerState[]
    this.#rowState = reader.json() as BalancerState
    this.parts.parameters.restore(reader.bytes())
    this.parts.adam.restore(reader.bytes())
    const scale = reader.bytes()
    this.#scale?.restore(scale)
    const schedule = reader.bytes()
    this.parts.schedule?.restore(schedule)
  }

  get #rateFactor(): number {
    return this.parts.schedule?.factor ?? 1
  }

  get #names(): StepNames {
    return { tasks: this.parts.model.shape.tasks, step: this.#steps }
  }

  #forward<Result>(
    features: EncodedFeatures,
    use: (passes: TaskPasses) => Result,
    edit?: ValuesEdit,
  ): Result {
    const { engine, model, parameters } = this.parts
    const passes = new TaskPasses(engine, model, parameters, this.#embedded.read(features, edit))
    try {
      return use(passes)
    } finally {
      passes.dispose()
    }
  }

  /** Everything that can fail comes before everything that changes. */
  #step(
    passes: TaskPasses,
    losses: TaskLosses,
    features: EncodedFeatures,
    batch: BatchLabels,
  ): Omit<LearnedBatch, 'probabilities' | 'losses' | 'rateFactor'> {
    if (losses.tasks.length === 0) {
      const coefficients = new Float64Array(losses.active.length)
      return { coefficients, cosines: undefined, gradientNorm: 0 }
    }
    const { balancer, rowBalancer, gradientsAt } = this.parts
    const gradients = balancedGradients(passes, losses, {
      balancer,
      states: this.#states,
      at: gradientsAt,
      perTask: rowBalancer !== undefined,
      replacesInput: rowBalancer !== undefined && this.#embedded.allShared,
      names: this.#names,
    })
    const norm = denseNorm(gradients, this.parts.engine.dense)
    if (!Number.isFinite(norm + gradients.inputNorm)) throw this.#culprit(passes, losses)
    const [dx, dWide] = gradients.inputs
    this.#embedded.collect(features, dx, dWide)
    const { taskInputs } = gradients
    const rows =
      rowBalancer === undefined
        ? undefined
        : balanceRows(rowBalancer, this.#rowState, this.#embedded, {
            taskInputs,
            names: this.#names,
          })
    this.#apply(features, batch, { gradients, norm, rows })
    const { coefficients, gram } = gradients
    const cosines = gram === undefined ? undefined : cosinesOf(gram)
    return { coefficients, cosines, gradientNorm: norm }
  }

  #apply(
    features: EncodedFeatures,
    batch: BatchLabels,
    step: { gradients: BatchGradients; norm: number; rows: RowMemory | undefined },
  ): void {
    const { gradients, norm, rows } = step
    const { parameters } = this.parts
    this.#scale?.observe(batch.labels, batch.mask, features.rows)
    this.#scale?.apply(
      (name) => gradients.parameters.get(name),
      (name) => parameters.view(name),
    )
    denseStep(this.parts, gradients, norm, this.#rateFactor)
    this.#embedded.insert()
    this.#embedded.step(this.#rateFactor, rows?.norms)
    this.#states = gradients.states
    this.#rowState = rows?.state ?? this.#rowState
  }

  /** For a balancer that judges its step (FAMO): the same batch once more through the stepped model. */
  #afterStep(features: EncodedFeatures, targets: readonly TaskTarget[]): void {
    const { balancer } = this.parts
    if (balancer.needs === 'gradients' || balancer.afterStep === undefined) return
    if (!targets.some((target) => target.active)) return
    const { corrections } = this.parts
    const losses = this.#forward(features, (passes) =>
      taskLosses(passes, targets, this.#names, corrections),
    )
    const after = balancer.afterStep.bind(balancer)
    this.#states = this.#states.map((state) => after(losses.values, state))
  }

  /** Which task's own gradient is not finite: asked only when the combination is not. */
  #culprit(passes: TaskPasses, losses: TaskLosses): Error {
    const { tasks, step } = this.#names
    const sick = losses.tasks.find((task) => {
      const found = readGradients(passes, passes.singlePass([losses.vars[task]!]), [task])
      const norm = denseNorm(found, this.parts.engine.dense)
      return !Number.isFinite(norm + found.inputNorm)
    })
    const whose = sick === undefined ? 'combined gradient' : `gradient of task ${tasks[sick]}`
    return notFinite(`the ${whose} is not finite at step ${step}`)
  }
}

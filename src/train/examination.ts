/**
 * @file A look inside the model on one batch, for people: how the task gradients point at the cut, which experts the gates use,
 * which units never fire. Changes nothing and costs a forward pass and the short backward passes.
 */

import type { ParameterSpec } from '../model/model.ts'
import type { Var } from '../tensors/tape.ts'
import { ancestorsOf, readsFrom } from '../tensors/tape-walk.ts'
import { cosinesOf, spreadGram } from './balancing.ts'
import type { TaskLosses } from './task-losses.ts'
import type { TaskPasses } from './task-passes.ts'

/** Mean weights of one gate over the rows of a batch; they sum to 1. */
export interface GateShares {
  /** `gate.task.1`: as the model names it. */
  readonly gate: string
  readonly shares: readonly number[]
}

/** The units of one ReLU layer of an expert or bottom. */
export interface LayerUnits {
  /** `expert.0.layer.1`: as the model names it. */
  readonly layer: string
  readonly units: number
  /** Units that gave 0 for every row of the batch: no gradient reaches them. */
  readonly dead: number
}

/** What one look found. */
export interface Examination {
  /** Cosines of the task gradients at the cut, row-major T x T; 0 where a task had no label. */
  readonly cosines: Float64Array
  readonly gates: readonly GateShares[]
  readonly layers: readonly LayerUnits[]
}

/** ReLU layers of what tasks mix: experts and bottoms. Towers and gates end in other activations. */
const MIXED_LAYER = /(^|\.)(expert|bottom)\b.*\.bias$/

/** Examines the batch on the tape; with fewer than two tasks that have labels the cosines are those of one task with itself. */
export function examine(passes: TaskPasses, losses: TaskLosses, rows: number): Examination {
  const { tape, forward } = passes
  const cuts = losses.tasks.map((task) => passes.passOf(task, losses.vars[task]!).cut)
  const gram = spreadGram(tape.gramOf(cuts), losses.tasks, losses.active.length)
  return {
    cosines: cosinesOf(gram),
    gates: forward.gates.map(({ name, weights }) => ({
      gate: name,
      shares: columnMeans(tape.value(weights), rows),
    })),
    layers: mixedLayers(passes).map(({ name, output }) => {
      const means = columnMeans(tape.value(output), rows)
      return { layer: name, units: means.length, dead: means.filter((mean) => mean === 0).length }
    }),
  }
}

/** The outputs of the layers that `MIXED_LAYER` names, found by the bias that they add. */
function mixedLayers(passes: TaskPasses): { name: string; output: Var }[] {
  const values = ancestorsOf(passes.forward.logits)
  return passes.trunk.concat(passes.heads).flatMap((spec: ParameterSpec) => {
    if (!MIXED_LAYER.test(spec.name)) return []
    const bias = passes.variable(spec.name)
    const output = values.find((value) => readsFrom(value, bias))
    return output === undefined ? [] : [{ name: spec.name.replace(/\.bias$/, ''), output }]
  })
}

/** Mean of each column of [rows, n] values; outputs of a ReLU have a mean of 0 only where all are 0. */
function columnMeans(values: ArrayLike<number>, rows: number): number[] {
  const columns = rows === 0 ? 0 : values.length / rows
  const sums = new Float64Array(columns)
  for (let i = 0; i < values.length; i++) sums[i % columns]! += values[i]!
  return Array.from(sums, (sum) => sum / rows)
}

/**
 * @file Puts a model together: backbone, feature mining between tower inputs, towers, distillation, wide part, conditional
 * heads. Every backbone gets all of them; who may be trained by whose loss follows from which of them are switched on.
 */

import { MillraceError } from '../errors.ts'
import type { Tape, Var } from '../tensors/tape.ts'
import type { Backbone } from './backbone.ts'
import { applyConditions, type Condition, resolveConditions } from './conditional-heads.ts'
import { ctfmSpecs, distil, gkdSpecs, mineFeatures } from './dml.ts'
import type { DmlOptions, HeadOptions } from './head-options.ts'
import type { Forward, Model, ModelShape, Owner, ParameterSource, ParameterSpec } from './model.ts'
import { addWide, wideColumns, wideSpecs } from './wide-part.ts'

/** The model of one backbone with the heads that the options ask for. */
export function composeModel(
  kind: string,
  backbone: Backbone,
  options: HeadOptions,
  shape: ModelShape,
): Model {
  const conditions = resolveConditions(options.conditional, shape.tasks, backbone.conditional ?? [])
  const reach = lossReach(conditions, options.dml)
  const model: Model = {
    kind,
    shape,
    wide: options.wide,
    columnsPerField: backbone.columnsPerField,
    parameters: [
      ...backbone.parameters.map((spec) => ({ ...spec, owner: reach.below(spec.owner) })),
      ...headSpecs(backbone, options, shape).map((spec) => ({
        ...spec,
        owner: reach.above(spec.owner),
      })),
    ],
    forward: (tape, parameter, input) => {
      const base = backbone.forward(tape, parameter, input)
      const towered = towerLogits(tape, parameter, backbone, base.towerInputs, options.dml)
      const columns = options.wide ? wideColumns(tape, input, shape) : []
      const logits = towered.map((logit, task) => {
        const column = columns[task]
        if (column === undefined) return logit
        return addWide(tape, parameter, input.dense, { logit, column: column.value, task })
      })
      return {
        logits: applyConditions(tape, logits, conditions),
        ...splitCut(base.cut, [
          ...base.privateCut.map(({ task, value }) => ({ owner: reach.below(task), value })),
          ...columns.map(({ task, value }) => ({ owner: reach.above(task), value })),
        ]),
        gates: base.gates,
      }
    },
  }
  const { gradientScale } = backbone
  return gradientScale === undefined ? model : { ...model, gradientScale }
}

/** Which private parts are reached by more than their own task's loss. */
function lossReach(
  conditions: readonly Condition[],
  dml: DmlOptions | undefined,
): { readonly below: (owner: Owner) => Owner; readonly above: (owner: Owner) => Owner } {
  // A conditional loss trains the whole column of the task that it is conditional on.
  const given = new Set<Owner>(conditions.map((condition) => condition[1]))
  const above = (owner: Owner): Owner => (given.has(owner) ? 'shared' : owner)
  // Without its stop-gradient, feature mining lets every loss into every tower input.
  const live = dml?.ctfm === true && !dml.stop_gradient
  return { above, below: live ? () => 'shared' : above }
}

function headSpecs(
  backbone: Backbone,
  { dml, wide }: HeadOptions,
  shape: ModelShape,
): ParameterSpec[] {
  const hidden = backbone.towers.map((tower) => tower.hiddenWidth)
  return [
    ...(dml?.ctfm === true ? ctfmSpecs(shape.tasks.length, backbone.width) : []),
    ...backbone.towers.flatMap((tower) => tower.parameters),
    ...(dml?.gkd === true ? gkdSpecs(hidden, dml.gate_layers) : []),
    ...(wide ? wideSpecs(shape) : []),
  ]
}

function towerLogits(
  tape: Tape,
  parameter: ParameterSource,
  backbone: Backbone,
  inputs: readonly Var[],
  dml: DmlOptions | undefined,
): Var[] {
  const mined =
    dml?.ctfm === true ? mineFeatures(tape, parameter, inputs, dml.stop_gradient) : inputs
  const towers = backbone.towers.map((tower, task) => {
    const input = mined[task]
    if (input === undefined) throw new MillraceError('BAD_INPUT', `no tower input for task ${task}`)
    return tower.forward(tape, parameter, input)
  })
  if (dml?.gkd === true) return distil(tape, parameter, towers, dml.gate_layers)
  return towers.map((tower) => tower.logit)
}

function splitCut(
  shared: readonly Var[],
  owned: readonly { readonly owner: Owner; readonly value: Var }[],
): Pick<Forward, 'cut' | 'privateCut'> {
  const values = (isShared: boolean): Var[] =>
    owned.filter(({ owner }) => (owner === 'shared') === isShared).map(({ value }) => value)
  return { cut: [...shared, ...values(true)], privateCut: values(false) }
}

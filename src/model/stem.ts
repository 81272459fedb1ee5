/**
 * @file STEM-Net (Su et al., AAAI 2024; the authors' released class): every id has one embedding slice per task and a shared
 * one, x_0..x_(T-1) and x_S. Task experts read their own slice, shared experts x_S. All-forward task-specific-backward gate:
 * o_t = sum_m softmax(Gate_t(x_t + x_S))_m c_t[m], candidates in the order task 0 experts, ..., task T-1 experts, shared
 * experts, where the experts of other tasks are stopped. So a loss never trains another task's slice or expert.
 * The figure draws the gate on x_t alone; that is `gate_input: task`. One layer: with more, the released code loses the isolation.
 * One row holds T + 1 slices: memory and optimizer state of the tables grow as T + 1.
 * Cut: the shared experts' outputs and x_S as the gates read it. Private cut: the slices, each reached by its task alone.
 */

import { z } from 'zod'
import type { Tape, Var } from '../tensors/tape.ts'
import { defineKind, type PrivateValue } from './backbone.ts'
import { denseFieldSpecs, withDenseFields } from './dense-fields.ts'
import { type Site, stackWidth } from './dense-layers.ts'
import { expertOutputs, expertSpecs } from './experts.ts'
import { gateSpecs, gateWeights } from './gate.ts'
import { count, headOptions, hiddenWidths } from './head-options.ts'
import type { ModelInput, ModelShape, ParameterSource } from './model.ts'
import { copyOf, SharedCut } from './shared-cut.ts'
import { mlpTowers } from './tower.ts'

const options = z.strictObject({
  kind: z.literal('stem'),
  ...headOptions,
  shared_experts: count.default(2).describe('experts on the shared slice'),
  specific_experts: count.default(1).describe('experts on each task slice'),
  gate_input: z
    .enum(['task+shared', 'task'])
    .default('task+shared')
    .describe('what a gate reads: the sum of its slice and the shared one, or its slice'),
  expert_hidden: hiddenWidths.default([64, 32]).describe('widths of every expert'),
  gate_hidden: hiddenWidths.default([32]).describe('hidden widths of every gate'),
})

const sharedExpert: Site = { name: 'expert.shared', owner: 'shared', place: 'trunk' }
const sharedDense: Site = { name: 'dense.shared', owner: 'shared', place: 'trunk' }
const privateSite = (part: string, task: number): Site => ({
  name: `${part}.${task}`,
  owner: task,
  place: 'head',
})

export const stem = defineKind(options, 'stem', (given, shape) => {
  const { shared_experts, specific_experts, expert_hidden, gate_hidden } = given
  const tasks = shape.tasks.length
  const inputs = (shape.fields + shape.dense) * shape.dim
  const width = stackWidth(inputs, expert_hidden)
  const candidates = tasks * specific_experts + shared_experts
  return {
    columnsPerField: (tasks + 1) * shape.dim,
    width,
    parameters: [
      ...denseFieldSpecs(sharedDense, shape.dense, shape.dim),
      ...shape.tasks.flatMap((_, task) =>
        denseFieldSpecs(privateSite('dense.task', task), shape.dense, shape.dim),
      ),
      ...expertSpecs(sharedExpert, shared_experts, inputs, expert_hidden),
      ...shape.tasks.flatMap((_, task) =>
        expertSpecs(privateSite('expert.task', task), specific_experts, inputs, expert_hidden),
      ),
      ...shape.tasks.flatMap((_, task) =>
        gateSpecs(privateSite('gate.task', task), inputs, gate_hidden, candidates),
      ),
    ],
    towers: mlpTowers(tasks, width, given.tower_hidden),
    forward: (tape, parameter, input) => {
      const cut = new SharedCut(tape)
      const { shared, own, privateCut } = slices(tape, parameter, input, shape)
      const outputs = (name: string, experts: number, x: Var): Var[] =>
        expertOutputs(tape, parameter, name, experts, expert_hidden, x)
      const common = outputs(sharedExpert.name, shared_experts, shared).map((e) => cut.lift(e))
      const specific = own.map((x, task) => outputs(`expert.task.${task}`, specific_experts, x))
      const stopped = specific.map((group) => group.map((output) => tape.stopGradient(output)))
      const gates = own.map((x, task) => {
        const seen = given.gate_input === 'task' ? x : tape.add(x, cut.lift(shared))
        const name = `gate.task.${task}`
        return { name, weights: gateWeights(tape, parameter, name, gate_hidden, seen) }
      })
      const towerInputs = gates.map(({ weights }, task) => {
        const groups = specific.map((group, other) => (other === task ? group : stopped[other]))
        return tape.mix(weights, [...groups.flatMap((group) => group ?? []), ...common])
      })
      return { towerInputs, cut: cut.values(), privateCut, gates }
    },
  }
})

/** x_S and every x_t, [B, (F + D) * d] each; the slices of tasks are taken over the cut before anything reads them. */
function slices(
  tape: Tape,
  parameter: ParameterSource,
  input: ModelInput,
  shape: ModelShape,
): { shared: Var; own: Var[]; privateCut: PrivateValue[] } {
  const { fields, dim, tasks } = shape
  const rows = input.x.shape[0] ?? 0
  const byField = tape.reshape(input.x, [rows * fields, (tasks.length + 1) * dim])
  const chunk = (t: number): Var =>
    tape.reshape(tape.slice(byField, t * dim, dim), [rows, fields * dim])
  const privateCut = tasks.map((_, task) => ({ task, value: copyOf(tape, chunk(task)) }))
  return {
    shared: withDenseFields(tape, parameter, 'dense.shared', chunk(tasks.length), input.dense),
    own: privateCut.map(({ task, value }) =>
      withDenseFields(tape, parameter, `dense.task.${task}`, value, input.dense),
    ),
    privateCut,
  }
}

/**
 * @file MMoE (Ma et al., KDD 2018): n shared experts, one softmax gate per task on the same input,
 * h_t = sum_k g_t(x)_k * expert_k(x).
 * Cut: the experts' outputs, and x as the gates read it.
 */

import { z } from 'zod'
import { defineKind } from './backbone.ts'
import { type Site, stackWidth } from './dense-layers.ts'
import { expertOutputs, expertSpecs } from './experts.ts'
import { flatInput, flatWidth } from './flat-input.ts'
import { gateSpecs, gateWeights } from './gate.ts'
import { count, headOptions, hiddenWidths } from './head-options.ts'
import { SharedCut } from './shared-cut.ts'
import { mlpTowers } from './tower.ts'

const options = z.strictObject({
  kind: z.literal('mmoe'),
  ...headOptions,
  experts: count.default(4).describe('shared experts'),
  expert_hidden: hiddenWidths.default([64, 32]).describe('widths of every expert'),
  gate_hidden: hiddenWidths.default([]).describe('hidden widths of every gate'),
})

const expert: Site = { name: 'expert', owner: 'shared', place: 'trunk' }
const gate = (task: number): Site => ({ name: `gate.task.${task}`, owner: task, place: 'head' })

export const mmoe = defineKind(options, 'mmoe', (given, shape) => {
  const { experts, expert_hidden, gate_hidden } = given
  const inputs = flatWidth(shape)
  const width = stackWidth(inputs, expert_hidden)
  return {
    columnsPerField: shape.dim,
    width,
    parameters: [
      ...expertSpecs(expert, experts, inputs, expert_hidden),
      ...shape.tasks.flatMap((_, task) => gateSpecs(gate(task), inputs, gate_hidden, experts)),
    ],
    towers: mlpTowers(shape.tasks.length, width, given.tower_hidden),
    forward: (tape, parameter, input) => {
      const x = flatInput(tape, input)
      const cut = new SharedCut(tape)
      const outputs = expertOutputs(tape, parameter, expert.name, experts, expert_hidden, x)
      const seen = outputs.map((output) => cut.lift(output))
      const gates = shape.tasks.map((_, task) => {
        const { name } = gate(task)
        return { name, weights: gateWeights(tape, parameter, name, gate_hidden, cut.lift(x)) }
      })
      const towerInputs = gates.map(({ weights }) => tape.mix(weights, seen))
      return { towerInputs, cut: cut.values(), privateCut: [], gates }
    },
  }
})

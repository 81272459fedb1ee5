/**
 * @file OMoE (one-gate mixture of experts, Ma et al., KDD 2018): n shared experts under one softmax gate for all
 * tasks, h_t = sum_k g(x)_k * expert_k(x) for every t. It differs from MMoE in that single gate.
 * Cut: the mixture.
 */

import { z } from 'zod'
import { defineKind } from './backbone.ts'
import type { Site } from './dense-layers.ts'
import { stackWidth } from './dense-layers.ts'
import { expertOutputs, expertSpecs } from './experts.ts'
import { flatInput, flatWidth } from './flat-input.ts'
import { gateSpecs, gateWeights } from './gate.ts'
import { count, headOptions, hiddenWidths } from './head-options.ts'
import { SharedCut } from './shared-cut.ts'
import { mlpTowers } from './tower.ts'

const options = z.strictObject({
  kind: z.literal('omoe'),
  ...headOptions,
  experts: count.default(4).describe('shared experts'),
  expert_hidden: hiddenWidths.default([64, 32]).describe('widths of every expert'),
  gate_hidden: hiddenWidths.default([]).describe('hidden widths of the gate'),
})

const gate: Site = { name: 'gate', owner: 'shared', place: 'trunk' }
const expert: Site = { name: 'expert', owner: 'shared', place: 'trunk' }

export const omoe = defineKind(options, 'omoe', (given, shape) => {
  const { experts, expert_hidden, gate_hidden } = given
  const inputs = flatWidth(shape)
  const width = stackWidth(inputs, expert_hidden)
  return {
    columnsPerField: shape.dim,
    width,
    parameters: [
      ...expertSpecs(expert, experts, inputs, expert_hidden),
      ...gateSpecs(gate, inputs, gate_hidden, experts),
    ],
    towers: mlpTowers(shape.tasks.length, width, given.tower_hidden),
    forward: (tape, parameter, input) => {
      const x = flatInput(tape, input)
      const outputs = expertOutputs(tape, parameter, expert.name, experts, expert_hidden, x)
      const weights = gateWeights(tape, parameter, gate.name, gate_hidden, x)
      const cut = new SharedCut(tape)
      const h = cut.lift(tape.mix(weights, outputs))
      return {
        towerInputs: shape.tasks.map(() => h),
        cut: cut.values(),
        privateCut: [],
        gates: [{ name: gate.name, weights }],
      }
    },
  }
})

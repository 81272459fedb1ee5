/**
 * @file PLE (Tang et al., RecSys 2020): levels of task experts and shared experts. Each task's gate mixes its own and the
 * shared experts on the task's own stream; shared gates mix what the next level's shared experts read. One level is CGC.
 * Shared gates mix all experts in the paper and the shared ones only in STEM's repository; DML's repository keeps one stream
 * and gate per shared expert. Both are options.
 * Cut: whatever passes from shared to task-specific parts, see `ple-level.ts`; with one level that is x and the shared
 * experts' outputs.
 */

import { z } from 'zod'
import { defineKind } from './backbone.ts'
import { stackWidth } from './dense-layers.ts'
import { flatInput, flatWidth } from './flat-input.ts'
import { count, headOptions, hiddenWidths } from './head-options.ts'
import { type LevelPass, levelPlan, levelSpecs, runLevel, type Streams } from './ple-level.ts'
import { SharedCut } from './shared-cut.ts'
import { mlpTowers } from './tower.ts'

const options = z.strictObject({
  kind: z.literal('ple'),
  ...headOptions,
  levels: count.default(1).describe('extraction levels; 1 is CGC'),
  shared_experts: count.default(2).describe('shared experts per level'),
  specific_experts: count.default(1).describe('experts per task and level'),
  shared_gate_over: z.enum(['all', 'shared']).default('all').describe('what shared gates mix'),
  shared_streams: z
    .enum(['one', 'per-expert'])
    .default('one')
    .describe('one shared stream per level, or one for every shared expert'),
  expert_hidden: hiddenWidths.default([64, 32]).describe('widths of every expert'),
  gate_hidden: hiddenWidths.default([]).describe('hidden widths of every gate'),
})

export const ple = defineKind(options, 'ple', (given, shape) => {
  const inputs = flatWidth(shape)
  const width = stackWidth(inputs, given.expert_hidden)
  const plans = Array.from({ length: given.levels }, (_, level) =>
    levelPlan(given, shape.tasks.length, level),
  )
  return {
    columnsPerField: shape.dim,
    width,
    parameters: plans.flatMap((plan, level) => levelSpecs(plan, level === 0 ? inputs : width)),
    towers: mlpTowers(shape.tasks.length, width, given.tower_hidden),
    forward: (tape, parameter, input) => {
      const x = flatInput(tape, input)
      const pass: LevelPass = { tape, parameter, cut: new SharedCut(tape), gates: [] }
      let streams: Streams = { tasks: shape.tasks.map(() => x), shared: [x], areShared: true }
      for (const plan of plans) streams = runLevel(plan, pass, streams)
      return {
        towerInputs: streams.tasks,
        cut: pass.cut.values(),
        privateCut: [],
        gates: pass.gates,
      }
    },
  }
})

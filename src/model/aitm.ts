/**
 * @file AITM (Xi et al., KDD 2021; the form of STEM's repository): one bottom per task, and each task takes from
 * the one before it. For t = 1..T-1: p = info_(t-1)(b_(t-1)) of the already updated b_(t-1), then over the pair {p, b_t}
 * b_t <- sum_l w_l value_l with w = softmax(<key_l, query_l> / sqrt(h)), the three maps shared by all pairs. No activation on p,
 * no stop-gradient, no behavioural-expectation calibrator.
 * A bottom is reached by its own task and all later ones, so every bottom but the last is shared, and so are the maps.
 * Cut: the outputs of the shared bottoms, and x as the last task's bottom reads it.
 */

import { z } from 'zod'
import type { Tape, Var } from '../tensors/tape.ts'
import { defineKind } from './backbone.ts'
import {
  linear,
  linearSpecs,
  reluStack,
  type Site,
  stackSpecs,
  stackWidth,
} from './dense-layers.ts'
import { flatInput, flatWidth } from './flat-input.ts'
import { headOptions, hiddenWidths } from './head-options.ts'
import type { Owner, ParameterSource, ParameterSpec } from './model.ts'
import { SharedCut } from './shared-cut.ts'
import { mlpTowers } from './tower.ts'

const options = z.strictObject({
  kind: z.literal('aitm'),
  ...headOptions,
  bottom_hidden: hiddenWidths.default([64, 32]).describe('widths of every task bottom'),
})

export const aitm = defineKind(options, 'aitm', (given, shape) => {
  const inputs = flatWidth(shape)
  const widths = given.bottom_hidden
  const width = stackWidth(inputs, widths)
  const last = shape.tasks.length - 1
  const bottom = (task: number): Site => {
    const name = `bottom.${task}`
    return task < last
      ? { name, owner: 'shared', place: 'trunk' }
      : { name, owner: task, place: 'head' }
  }
  return {
    columnsPerField: shape.dim,
    width,
    parameters: [
      ...shape.tasks.flatMap((_, task) => stackSpecs(bottom(task), inputs, widths)),
      ...transferSpecs(last, width),
    ],
    towers: mlpTowers(shape.tasks.length, width, given.tower_hidden),
    forward: (tape, parameter, input) => {
      const x = flatInput(tape, input)
      const cut = new SharedCut(tape)
      const read = (task: number, from: Var): Var =>
        reluStack(tape, parameter, `bottom.${task}`, widths.length, from)
      const towerInputs: Var[] = []
      for (let task = 0; task <= last; task++) {
        const b = task < last ? cut.lift(read(task, x)) : read(task, cut.lift(x))
        const before = towerInputs[task - 1]
        towerInputs.push(
          before === undefined ? b : transfer(tape, parameter, `info.${task - 1}`, before, b),
        )
      }
      return { towerInputs, cut: cut.values(), privateCut: [], gates: [] }
    },
  }
})

/** info.t for every pair, and the attention maps of all pairs; the last pair's map serves the last task alone. */
function transferSpecs(pairs: number, width: number): ParameterSpec[] {
  if (pairs === 0) return []
  const map = (name: string, owner: Owner): ParameterSpec[] =>
    linearSpecs({ name, owner, place: 'head' }, width, width)
  const attentionOwner = pairs === 1 ? 1 : 'shared'
  return [
    ...Array.from({ length: pairs }, (_, pair) =>
      map(`info.${pair}`, pair === pairs - 1 ? pairs : 'shared'),
    ).flat(),
    ...['query', 'key', 'value'].flatMap((part) => map(`ait.${part}`, attentionOwner)),
  ]
}

/** Attention over the two positions {p, b}; scores are between key and query of one position, there are no cross terms. */
function transfer(tape: Tape, parameter: ParameterSource, info: string, before: Var, b: Var): Var {
  const [rows = 0, width = 0] = b.shape
  const pair = tape.concat([linear(tape, parameter, info, before), b])
  const positions = tape.reshape(pair, [rows, 2, width])
  const map = (part: string): Var => linear(tape, parameter, `ait.${part}`, positions)
  const scores = tape.sumLast(tape.mul(map('key'), map('query')))
  const weights = tape.softmax(tape.scale(scores, 1 / Math.sqrt(width)))
  const attention = tape.reshape(weights, [rows, 1, 2])
  return tape.reshape(tape.batchMatMul(attention, map('value')), [rows, width])
}

/**
 * @file ESMM (Ma et al., SIGIR 2018; the form of STEM's repository): two towers straight on the embeddings,
 * p(task 0) = sigmoid(ctr), p(task 1) = sigmoid(ctr) * sigmoid(cvr). The cvr tower never has a loss of its own.
 * For more tasks, or for towers on another backbone, use that backbone with `conditional`.
 * Cut: the input as the towers read it.
 */

import { z } from 'zod'
import { MillraceError } from '../errors.ts'
import { defineKind } from './backbone.ts'
import { flatInput, flatWidth } from './flat-input.ts'
import { headOptions } from './head-options.ts'
import { SharedCut } from './shared-cut.ts'
import { mlpTower } from './tower.ts'

const options = z.strictObject({ kind: z.literal('esmm'), ...headOptions })

export const esmm = defineKind(options, 'esmm', (given, shape) => {
  if (shape.tasks.length !== 2) {
    throw new MillraceError('BAD_SETTINGS', `esmm has two tasks, not ${shape.tasks.length}`, {
      remedy: 'name click and conversion, or use another model with its `conditional` field',
    })
  }
  const width = flatWidth(shape)
  const tower = (name: string, owner: number) =>
    mlpTower({ name: `tower.${name}`, owner, place: 'head' }, width, given.tower_hidden)
  return {
    columnsPerField: shape.dim,
    width,
    parameters: [],
    towers: [tower('ctr', 0), tower('cvr', 1)],
    conditional: [[1, 0]],
    forward: (tape, _parameter, input) => {
      const cut = new SharedCut(tape)
      const x = cut.lift(flatInput(tape, input))
      return { towerInputs: [x, x], cut: [x], privateCut: [], gates: [] }
    },
  }
})

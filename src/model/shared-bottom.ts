/**
 * @file Shared-Bottom (Caruana 1997): one ReLU stack that all towers stand on, h_t = bottom(x) for every t.
 * Cut: the bottom's output.
 */

import { z } from 'zod'
import { defineKind } from './backbone.ts'
import { reluStack, type Site, stackSpecs, stackWidth } from './dense-layers.ts'
import { flatInput, flatWidth } from './flat-input.ts'
import { headOptions, hiddenWidths } from './head-options.ts'
import { SharedCut } from './shared-cut.ts'
import { mlpTowers } from './tower.ts'

const options = z.strictObject({
  kind: z.literal('shared-bottom'),
  ...headOptions,
  bottom_hidden: hiddenWidths.default([64, 32]).describe('widths of the shared layers'),
})

const bottom: Site = { name: 'bottom', owner: 'shared', place: 'trunk' }

export const sharedBottom = defineKind(options, 'shared-bottom', (given, shape) => {
  const inputs = flatWidth(shape)
  const widths = given.bottom_hidden
  const width = stackWidth(inputs, widths)
  return {
    columnsPerField: shape.dim,
    width,
    parameters: stackSpecs(bottom, inputs, widths),
    towers: mlpTowers(shape.tasks.length, width, given.tower_hidden),
    forward: (tape, parameter, input) => {
      const x = flatInput(tape, input)
      const cut = new SharedCut(tape)
      const h = cut.lift(reluStack(tape, parameter, bottom.name, widths.length, x))
      return { towerInputs: shape.tasks.map(() => h), cut: [h], privateCut: [], gates: [] }
    },
  }
})

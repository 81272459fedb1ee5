/** @file The fields of the `model` section that every kind of model has: widths, wide part, mutual learning, conditional heads. */

import { z } from 'zod'

/** Widths of hidden layers, from input to output; may be empty. */
export const hiddenWidths = z.array(z.int().positive()).readonly()

/** A count of experts, levels or modules. */
export const count = z.int().positive()

const dmlOptions = z
  .strictObject({
    ctfm: z
      .boolean()
      .default(true)
      .describe('cross task feature mining: towers attend to each other'),
    gkd: z.boolean().default(true).describe('global knowledge distillation: a gated extra logit'),
    gate_layers: count.default(1).describe('layers of the gate of global knowledge distillation'),
    stop_gradient: z
      .boolean()
      .default(true)
      .describe('false: the paper ablation in which one task trains what the others feed to it'),
  })
  .describe('deep mutual learning across towers; leave out for plain towers')

const conditionalOptions = z
  .array(z.strictObject({ task: z.string(), given: z.string() }))
  .default([])
  .describe(
    'ESMM heads: p(task) = p(given) * tower, only where the task cannot happen without the other',
  )

/** Spread these into the options of a kind. */
export const headOptions = {
  dim: count.default(8).describe('width of one embedding'),
  tower_hidden: hiddenWidths.default([32]).describe('hidden widths of every tower'),
  wide: z
    .boolean()
    .default(false)
    .describe(
      'one linear weight per id and task, and per numeric input and task, added to the logits',
    ),
  dml: dmlOptions.optional(),
  conditional: conditionalOptions,
}

const headSchema = z.object(headOptions)

export type HeadOptions = z.output<typeof headSchema>
export type DmlOptions = z.output<typeof dmlOptions>

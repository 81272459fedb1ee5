/** @file The `model` section of a job: one kind of model with its widths, told apart by `kind`. */

import { z } from 'zod'
import { MODELS } from './models.ts'

const [first, ...others] = MODELS

/** What a job may say about its model; every field but `kind` has a default. */
export const modelOptions = z.discriminatedUnion('kind', [
  first.options,
  ...others.map((model) => model.options),
])

export type ModelOptions = z.output<typeof modelOptions>

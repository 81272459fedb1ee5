/** @file From the `model` section of a job to the model: the one way in for learner, scorer and tests. */

import { MillraceError } from '../errors.ts'
import type { Model, ModelShape } from './model.ts'
import { MODELS } from './models.ts'
import { composeModel } from './multi-task-model.ts'
import type { ModelOptions } from './options.ts'

/** The model that the options ask for; BAD_SETTINGS when they do not fit the tasks or features. */
export function buildModel(options: ModelOptions, features: Omit<ModelShape, 'dim'>): Model {
  const shape: ModelShape = {
    tasks: features.tasks,
    fields: features.fields,
    dense: features.dense,
    dim: options.dim,
  }
  const kind = MODELS.find((model) => model.kind === options.kind)
  if (kind === undefined) {
    throw new MillraceError('BAD_SETTINGS', `no model of kind ${options.kind}`, {
      remedy: `use one of ${MODELS.map((model) => model.kind).join(', ')}`,
    })
  }
  return composeModel(kind.kind, kind.backbone(options, shape), options, shape)
}

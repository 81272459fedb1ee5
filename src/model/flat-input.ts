/** @file The flattened input of backbones without task slices: every field's embedding, then the numeric inputs. */

import type { Tape, Var } from '../tensors/tape.ts'
import type { ModelInput, ModelShape } from './model.ts'

/** F * d + D. */
export function flatWidth(shape: ModelShape): number {
  return shape.fields * shape.dim + shape.dense
}

/** [B, F * d + D]: numeric inputs stand behind the embeddings as they are (scaling is the feature spec's work). */
export function flatInput(tape: Tape, input: ModelInput): Var {
  return input.dense === undefined ? input.x : tape.concat([input.x, input.dense])
}

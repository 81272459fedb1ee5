/**
 * @file The linear part beside the network (Cheng et al. 2016, "wide"): per task the summed weights of the row's ids, and a
 * linear map of its numeric inputs. Each task's weights are its own.
 */

import { MillraceError } from '../errors.ts'
import type { Tape, Var } from '../tensors/tape.ts'
import type { PrivateValue } from './backbone.ts'
import type { ModelInput, ModelShape, ParameterSource, ParameterSpec } from './model.ts'
import { copyOf } from './shared-cut.ts'

function denseWeight(task: number): string {
  return `wide.${task}.weight`
}

/** Linear weights of the numeric inputs, [D, 1] per task, from 0; none in a model without numeric inputs. */
export function wideSpecs({ tasks, dense }: ModelShape): ParameterSpec[] {
  if (dense === 0) return []
  return tasks.map((_, task) => ({
    name: denseWeight(task),
    shape: [dense, 1],
    initial: { kind: 'zeros' },
    owner: task,
    place: 'head',
  }))
}

/** Column t of the ids' linear weights belongs to task t alone. */
export function wideColumns(tape: Tape, input: ModelInput, shape: ModelShape): PrivateValue[] {
  const { wide } = input
  if (wide === undefined)
    throw new MillraceError('BAD_INPUT', 'a model with a wide part needs the wide input')
  return shape.tasks.map((_, task) => ({ task, value: copyOf(tape, tape.slice(wide, task, 1)) }))
}

/** A tower's logit with the task's wide part added. */
export function addWide(
  tape: Tape,
  parameter: ParameterSource,
  dense: Var | undefined,
  { logit, column, task }: { readonly logit: Var; readonly column: Var; readonly task: number },
): Var {
  const sum = tape.add(logit, column)
  if (dense === undefined) return sum
  return tape.add(sum, tape.matMul(dense, parameter(denseWeight(task))))
}

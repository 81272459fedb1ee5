/** @file The losses of one batch, and the guard before them: a number that is not finite stops a step before anything moves. */

import { MillraceError } from '../errors.ts'
import type { Var } from '../tensors/tape.ts'
import type { LossCorrection } from './corrected-loss.ts'
import type { TaskTarget } from './task-loss.ts'
import type { TaskPasses } from './task-passes.ts'

/** Which step it is, and what its tasks are called: for messages. */
export interface StepNames {
  readonly tasks: readonly string[]
  /** Steps taken before this one. */
  readonly step: number
}

/** Task losses as variables of the tape and as numbers. */
export interface TaskLosses {
  readonly vars: readonly Var[]
  /** Mean over labelled rows; 0 where the batch has none. */
  readonly values: Float64Array
  /** 1 where the batch has a label of the task. */
  readonly active: Uint8Array
  /** The tasks with a label, ascending. */
  readonly tasks: readonly number[]
}

/** Losses of the batch that is on the tape; NUMERIC when one is not finite, naming task and step. */
export function taskLosses(
  passes: TaskPasses,
  targets: readonly TaskTarget[],
  names: StepNames,
  corrections?: readonly (LossCorrection | undefined)[],
): TaskLosses {
  const vars = passes.losses(targets, corrections)
  const values = Float64Array.from(vars, (loss) => passes.tape.value(loss)[0] ?? Number.NaN)
  checkPerTask(values, 'loss', names)
  const active = Uint8Array.from(targets, (target) => (target.active ? 1 : 0))
  return { vars, values, active, tasks: [...active.keys()].filter((task) => active[task] === 1) }
}

/** NUMERIC unless every task's number is finite. */
export function checkPerTask(
  values: ArrayLike<number>,
  what: string,
  { tasks, step }: StepNames,
): void {
  for (let task = 0; task < values.length; task++) {
    if (Number.isFinite(values[task])) continue
    throw notFinite(`the ${what} of task ${tasks[task]} is ${values[task]} at step ${step}`)
  }
}

/** The error of a step that must not be taken. */
export function notFinite(message: string): MillraceError {
  return new MillraceError('NUMERIC', message, {
    remedy: 'lower train.dense.learning_rate or the sparse learning rate, or train.clip_norm',
  })
}

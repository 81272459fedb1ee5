/**
 * @file Conditional heads (ESMM, Ma et al., SIGIR 2018): a task that cannot happen without another is learned on the
 * entire space, p(task) = p(given) * sigmoid(its tower). Asked for by a job, never assumed: likes without clicks exist.
 */

import { MillraceError } from '../errors.ts'
import type { Tape, Var } from '../tensors/tape.ts'

/** One conditional head by task indices. */
export type Condition = readonly [task: number, given: number]

/**
 * Names to indices, behind those that the backbone brings; BAD_SETTINGS for an unknown task, a task with two conditions, or a
 * circle.
 */
export function resolveConditions(
  named: readonly { readonly task: string; readonly given: string }[],
  tasks: readonly string[],
  builtIn: readonly Condition[],
): Condition[] {
  const conditions = named.map(({ task, given }): Condition => {
    for (const name of [task, given]) {
      if (tasks.includes(name)) continue
      throw new MillraceError('BAD_SETTINGS', `model.conditional names the task ${name}`, {
        remedy: `the tasks of this job are ${tasks.join(', ')}`,
      })
    }
    return [tasks.indexOf(task), tasks.indexOf(given)]
  })
  return inOrder([...builtIn, ...conditions], tasks)
}

/** So ordered that a task's `given` is final before the task uses it. */
function inOrder(conditions: readonly Condition[], tasks: readonly string[]): Condition[] {
  const ordered: Condition[] = []
  let waiting = [...conditions]
  while (waiting.length > 0) {
    const ready = waiting.find(([, given]) => !waiting.some(([task]) => task === given))
    const task = ready?.[0]
    if (ready === undefined || waiting.filter((other) => other[0] === task).length > 1) {
      const name = tasks[task ?? waiting[0]?.[0] ?? 0]
      throw new MillraceError(
        'BAD_SETTINGS',
        `model.conditional leads ${name} in a circle or twice`,
        {
          remedy: 'give every conditional task one task that it depends on, without a circle',
        },
      )
    }
    ordered.push(ready)
    waiting = waiting.filter((other) => other !== ready)
  }
  return ordered
}

/** The logits with every condition applied; `conditions` come from `resolveConditions`. */
export function applyConditions(
  tape: Tape,
  logits: readonly Var[],
  conditions: readonly Condition[],
): Var[] {
  const out = [...logits]
  for (const [task, given] of conditions) {
    const a = out[given]
    const b = out[task]
    if (a !== undefined && b !== undefined) out[task] = productLogit(tape, a, b)
  }
  return out
}

/**
 * The logit of sigmoid(a) * sigmoid(b) = 1 / (1 + e^-a + e^-b + e^-(a+b)) without leaving the logarithm:
 * a - softplus(softplus(a) - b).
 */
function productLogit(tape: Tape, a: Var, b: Var): Var {
  return tape.sub(a, tape.softplus(tape.sub(tape.softplus(a), b)))
}

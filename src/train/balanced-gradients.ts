/**
 * @file From one batch to one gradient per parameter and input: task passes, the Gram matrix of the task gradients, the
 * balancer's coefficients, the combination. Private parameters always get their own task's gradient, unscaled.
 */

import type { Balancer } from '../balance/balancer.ts'
import { type Balance, type Balancing, balanceByGram, spreadGram } from './balancing.ts'
import {
  combineHeads,
  combinePrivateCut,
  type GradientValues,
  readGradients,
} from './gradient-values.ts'
import { parameterGradients } from './parameter-gradients.ts'
import type { TaskLosses } from './task-losses.ts'
import type { TaskPasses } from './task-passes.ts'

/** The gradients of one batch and how they were balanced. */
export interface BatchGradients extends GradientValues, Balance {}

/** Runs the passes that the balancer needs and combines their gradients; at least one task must have a label. */
export function balancedGradients(
  passes: TaskPasses,
  losses: TaskLosses,
  balancing: Balancing,
): BatchGradients {
  const { balancer, at, perTask } = balancing
  if (balancer.needs === 'gradients' || (balancer.needs === 'gram' && at !== 'representation')) {
    return parameterGradients(passes, losses, { ...balancing, balancer })
  }
  if (balancer.needs === 'losses' && !perTask) {
    return weightedLosses(passes, losses, balancing, balancer)
  }
  return atRepresentation(passes, losses, balancing, balancer)
}

/** Where coefficients follow from the losses alone, the number of passes does not grow with the number of tasks. */
function weightedLosses(
  passes: TaskPasses,
  losses: TaskLosses,
  balancing: Balancing,
  balancer: Balancer,
): BatchGradients {
  const vars = losses.tasks.map((task) => losses.vars[task]!)
  const balance = balanceByGram(balancer, balancing, losses, undefined)
  const weights = losses.tasks.map((task) => balance.coefficients[task]!)
  if (weights.every((weight) => weight === 1)) {
    return { ...readGradients(passes, passes.singlePass(vars), losses.tasks), ...balance }
  }
  const short = passes.weightedPass(vars, weights)
  const combined = { heads: short.heads, ...passes.longPass(short.cut, short.privateCut) }
  return { ...readGradients(passes, combined, losses.tasks), ...balance }
}

/** T short passes to the cut, one long pass below it. */
function atRepresentation(
  passes: TaskPasses,
  losses: TaskLosses,
  balancing: Balancing,
  balancer: Balancer,
): BatchGradients {
  const { tape } = passes
  const taskPasses = losses.tasks.map((task) => passes.passOf(task, losses.vars[task]!))
  const cuts = taskPasses.map((pass) => pass.cut)
  const gram =
    balancer.needs === 'gram'
      ? spreadGram(tape.gramOf(cuts), losses.tasks, losses.active.length)
      : undefined
  const balance = balanceByGram(balancer, balancing, losses, gram)
  const weights = losses.tasks.map((task) => balance.coefficients[task]!)
  const privateCut = combinePrivateCut(passes, taskPasses)
  const wanted = balancing.replacesInput ? passes.inputs.slice(1) : passes.inputs
  const combined = {
    heads: combineHeads(passes, taskPasses, weights),
    ...passes.longPass(tape.combine(cuts, weights), privateCut, wanted),
  }
  const inputs = balancing.perTask ? cuts.map((cut) => passes.inputPass(cut)) : []
  return { ...readGradients(passes, combined, losses.tasks, inputs), ...balance }
}

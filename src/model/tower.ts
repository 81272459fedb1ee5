/** @file Towers: what turns one task's tower input h_t into its logit. */

import type { Tape, Var } from '../tensors/tape.ts'
import {
  linear,
  linearSpecs,
  reluStack,
  type Site,
  stackSpecs,
  stackWidth,
} from './dense-layers.ts'
import type { ParameterSource, ParameterSpec } from './model.ts'

/** What a tower gives: its last hidden activation z_t [B, m] (h_t itself without hidden layers) and its logit [B, 1]. */
export interface TowerForward {
  readonly hidden: Var
  readonly logit: Var
}

/** One task's tower; its parameters are that task's own. */
export interface Tower {
  readonly parameters: readonly ParameterSpec[]
  /** m, the width of the last hidden activation. */
  readonly hiddenWidth: number
  forward(tape: Tape, parameter: ParameterSource, input: Var): TowerForward
}

/** ReLU hidden layers, then one linear unit `out`. */
export function mlpTower(site: Site, inputs: number, hidden: readonly number[]): Tower {
  const hiddenWidth = stackWidth(inputs, hidden)
  return {
    hiddenWidth,
    parameters: [
      ...stackSpecs(site, inputs, hidden),
      ...linearSpecs({ ...site, name: `${site.name}.out` }, hiddenWidth, 1),
    ],
    forward: (tape, parameter, input) => {
      const z = reluStack(tape, parameter, site.name, hidden.length, input)
      return { hidden: z, logit: linear(tape, parameter, `${site.name}.out`, z) }
    },
  }
}

/** One `mlpTower` per task, named `tower.t`. */
export function mlpTowers(tasks: number, inputs: number, hidden: readonly number[]): Tower[] {
  return Array.from({ length: tasks }, (_, task) =>
    mlpTower({ name: `tower.${task}`, owner: task, place: 'head' }, inputs, hidden),
  )
}

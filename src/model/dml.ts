/**
 * @file Deep mutual learning across task towers (DML, ORSUM@RecSys 2023; authors' code, final revision), around any backbone.
 * Cross task feature mining (CTFM): X = [h_1..h_T] + P; Q = relu(X W_Q + b_Q), K and V likewise from sg(X);
 * h'_t = h_t + (softmax(Q K^T / sqrt(n)) V)_t, the residual to h_t without P.
 * Global knowledge distillation (GKD): g = sg(concat z_1..z_T); u_t = relu(W_u g + b); a_t = sigmoid gate of [z_t; u_t];
 * the logit of task t grows by v_t . (a_t * u_t), without bias. It is an extra logit, not a loss on soft labels.
 * The stop-gradients keep one task's loss out of the tower inputs and towers of the others. The attention maps are shared and
 * stand above the backbone's cut, which stays as it is.
 */

import type { Tape, Var } from '../tensors/tape.ts'
import { linear, linearSpecs, reluStack, type Site, stackSpecs } from './dense-layers.ts'
import type { ParameterSource, ParameterSpec } from './model.ts'
import type { TowerForward } from './tower.ts'

const attention = (part: string): Site => ({
  name: `ctfm.${part}`,
  owner: 'shared',
  place: 'head',
})

/** P and the three maps n -> n, shared by all tasks. */
export function ctfmSpecs(tasks: number, width: number): ParameterSpec[] {
  return [
    {
      ...attention('taskEmbedding'),
      shape: [tasks, width],
      initial: { kind: 'normal', mean: 0, deviation: 0.01 }, // the authors' choice
    },
    ...linearSpecs(attention('query'), width, width),
    ...linearSpecs(attention('key'), width, width),
    ...linearSpecs(attention('value'), width, width),
  ]
}

/** h'_t of every task from h_t [B, n]. `stop` is false only in the paper's ablation. */
export function mineFeatures(
  tape: Tape,
  parameter: ParameterSource,
  inputs: readonly Var[],
  stop: boolean,
): Var[] {
  const joined = tape.concat(inputs)
  const [rows = 0, all = 0] = joined.shape
  const width = all / inputs.length
  const embedding = tape.reshape(parameter('ctfm.taskEmbedding'), [all])
  const x = tape.reshape(tape.add(joined, embedding), [rows, inputs.length, width])
  const stopped = stop ? tape.stopGradient(x) : x
  const map = (part: string, from: Var): Var =>
    linear(tape, parameter, `ctfm.${part}`, from, { activation: 'relu' })
  const scores = tape.batchMatMul(map('query', x), map('key', stopped), { transposeB: true })
  const weights = tape.softmax(tape.scale(scores, 1 / Math.sqrt(width)))
  const mined = tape.reshape(tape.batchMatMul(weights, map('value', stopped)), [rows, all])
  return inputs.map((h, task) => tape.add(h, tape.slice(mined, task * width, width)))
}

/** Per task: the map of the global features, the gate's layers and v_t, which starts at 0 so that training starts as the plain backbone. */
export function gkdSpecs(hiddenWidths: readonly number[], gateLayers: number): ParameterSpec[] {
  const all = hiddenWidths.reduce((sum, width) => sum + width, 0)
  return hiddenWidths.flatMap((m, task): ParameterSpec[] => {
    const site = (part: string): Site => ({
      name: `gkd.${task}.${part}`,
      owner: task,
      place: 'head',
    })
    const layers = new Array<number>(gateLayers).fill(m)
    return [
      ...linearSpecs(site('global'), all, m),
      ...stackSpecs(site('gate'), 2 * m, layers),
      { ...site('out'), name: site('out.weight').name, shape: [m, 1], initial: { kind: 'zeros' } },
    ]
  })
}

/** The logits with what each task takes from the stopped last hidden layers of all towers. */
export function distil(
  tape: Tape,
  parameter: ParameterSource,
  towers: readonly TowerForward[],
  gateLayers: number,
): Var[] {
  const global = tape.stopGradient(tape.concat(towers.map((tower) => tower.hidden)))
  return towers.map(({ hidden, logit }, task) => {
    const name = `gkd.${task}`
    const last = gateLayers - 1
    const u = linear(tape, parameter, `${name}.global`, global, { activation: 'relu' })
    const body = reluStack(tape, parameter, `${name}.gate`, last, tape.concat([hidden, u]))
    const a = linear(tape, parameter, `${name}.gate.layer.${last}`, body, { activation: 'sigmoid' })
    return tape.add(logit, tape.matMul(tape.mul(a, u), parameter(`${name}.out.weight`)))
  })
}

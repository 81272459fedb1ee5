/**
 * @file DEPHN (IJCNN 2023; eq. 1 to 9, and its parent PHN): public LeakyReLU experts e_k and, per task, private cross and field
 * experts, each group behind a soft selection gate. Explicit mapping f_p: raw e_k and sin(e_k). Per task
 * logit_t = sum_kp G_t[k, p] <W_t[k, p], f_p(e_k)> + sum_k' <W, cross> + <W, field> + b, with unnormalised scalar gates G_t.
 * One sigmoid of the sum, which makes the paper's eq. 7 exact (it prints two sigmoids). `sin` and the single head of attention
 * are our reading. Gate gradients are rescaled by virtual gradients: see `virtual-gradient.ts`; the gates take plain SGD, since
 * Adam would cancel that scale. With `tower_hidden` the linear head gives way to a tower on the same concatenation.
 * Cut: the public experts' outputs, and the field embeddings as the private parts read them.
 */

import { z } from 'zod'
import type { Tape, Var } from '../tensors/tape.ts'
import { defineKind } from './backbone.ts'
import { denseFieldSpecs, withDenseFields } from './dense-fields.ts'
import { type Site, stack, stackSpecs, stackWidth } from './dense-layers.ts'
import { headWidth, linearHead } from './dephn-head.ts'
import { count, headOptions, hiddenWidths } from './head-options.ts'
import { crossLayers, crossSpecs, fieldLayers, fieldSpecs } from './interaction-experts.ts'
import type { ParameterSource, ParameterSpec } from './model.ts'
import { SharedCut } from './shared-cut.ts'
import { repeatEach, softSelection, softSelectionSpecs } from './soft-selection.ts'
import { mlpTowers } from './tower.ts'
import { VirtualGradient, virtualGradientOptions } from './virtual-gradient.ts'

const MAPPINGS = 2 // raw and sine

const options = z.strictObject({
  kind: z.literal('dephn'),
  ...headOptions,
  tower_hidden: hiddenWidths.default([]).describe('hidden widths of towers; none: linear head'),
  public_experts: count.default(2).describe('experts that all tasks share'),
  public_hidden: hiddenWidths.default([64, 32]).describe('widths of every public expert'),
  private_modules: count.default(1).describe('cross and field experts per task'),
  cross_layers: count.default(1),
  field_layers: count.default(1),
  cross_residual: z.boolean().default(true).describe('trainable residual in cross layers'),
  leaky_slope: z.number().min(0).lt(1).default(0.01),
  virtual_gradient: virtualGradientOptions.prefault({}),
})

type DephnOptions = z.output<typeof options>

const trunk = (name: string): Site => ({ name, owner: 'shared', place: 'trunk' })
const own = (name: string, task: number): Site => ({ name, owner: task, place: 'head' })
const gateName = (task: number): string => `gate.task.${task}`

export const dephn = defineKind(options, 'dephn', (given, shape) => {
  const tasks = shape.tasks.map((_, task) => task)
  const fields = shape.fields + shape.dense
  const { dim } = shape
  const mappedWidth = stackWidth(fields * dim, given.public_hidden)
  const layout = {
    mapped: [given.public_experts, MAPPINGS, mappedWidth],
    modules: [given.private_modules, fields * dim],
  } as const
  const width = headWidth(layout)
  return {
    columnsPerField: dim,
    width,
    parameters: [
      ...denseFieldSpecs(trunk('dense'), shape.dense, dim),
      ...softSelectionSpecs(trunk('ssg.public'), fields, dim),
      ...publicSpecs(given, fields * dim),
      ...tasks.flatMap((task) => moduleSpecs(given, task, fields, dim)),
      ...tasks.map((task) => gateSpec(given, task)),
    ],
    towers:
      given.tower_hidden.length > 0
        ? mlpTowers(tasks.length, width, given.tower_hidden)
        : tasks.map((task) => linearHead(own(`tower.${task}`, task), layout)),
    forward: (tape, parameter, input) => {
      const cut = new SharedCut(tape)
      const flat = withDenseFields(tape, parameter, 'dense', input.x, input.dense)
      const e = tape.reshape(flat, [flat.shape[0] ?? 0, fields, dim])
      const mapped = publicExperts(tape, parameter, given, e).flatMap((expert) => {
        const raw = cut.lift(expert)
        return [raw, tape.sin(raw)]
      })
      const terms = tape.concat(mapped)
      const seen = cut.lift(e)
      const towerInputs = tasks.map((task) => {
        const gate = tape.reshape(parameter(gateName(task)), [given.public_experts * MAPPINGS])
        const gated = tape.mul(terms, repeatEach(tape, gate, mappedWidth))
        return tape.concat([gated, ...privateParts(tape, parameter, given, task, seen)])
      })
      return { towerInputs, cut: cut.values(), privateCut: [], gates: [] }
    },
    gradientScale: () => new VirtualGradient(given.virtual_gradient, tasks.map(gateName)),
  }
})

function publicSpecs(given: DephnOptions, inputs: number): ParameterSpec[] {
  return Array.from({ length: given.public_experts }, (_, k) =>
    stackSpecs(trunk(`public.${k}`), inputs, given.public_hidden),
  ).flat()
}

function moduleSpecs(
  given: DephnOptions,
  task: number,
  fields: number,
  dim: number,
): ParameterSpec[] {
  return Array.from({ length: given.private_modules }, (_, k) => {
    const name = `private.${task}.${k}`
    const { cross_layers, cross_residual, field_layers } = given
    return [
      ...softSelectionSpecs(own(`ssg.task.${task}.${k}`, task), fields, dim),
      ...crossSpecs(own(`${name}.cross`, task), cross_layers, fields * dim, cross_residual),
      ...fieldSpecs(own(`${name}.field`, task), field_layers, fields),
    ]
  }).flat()
}

/** G_t [K, P] starts as an even share of the sum. */
function gateSpec(given: DephnOptions, task: number): ParameterSpec {
  const gates = given.public_experts * MAPPINGS
  return {
    ...own(gateName(task), task),
    shape: [given.public_experts, MAPPINGS],
    initial: { kind: 'constant', value: 1 / gates },
    optimizer: 'sgd',
  }
}

/** e_k: LeakyReLU after every layer on the flattened selection. */
function publicExperts(tape: Tape, parameter: ParameterSource, given: DephnOptions, e: Var): Var[] {
  const [rows = 0, fields = 0, dim = 0] = e.shape
  const selected = softSelection(tape, parameter, 'ssg.public', e)
  const x = tape.reshape(selected, [rows, fields * dim])
  const layer = { activation: 'leakyRelu', slope: given.leaky_slope } as const
  const depth = given.public_hidden.length
  return Array.from({ length: given.public_experts }, (_, k) =>
    stack(tape, parameter, `public.${k}`, depth, x, layer),
  )
}

/** All cross parts of a task, then all its field parts. */
function privateParts(
  tape: Tape,
  parameter: ParameterSource,
  given: DephnOptions,
  task: number,
  e: Var,
): Var[] {
  const [rows = 0, fields = 0, dim = 0] = e.shape
  const cross: Var[] = []
  const field: Var[] = []
  for (let k = 0; k < given.private_modules; k++) {
    const name = `private.${task}.${k}`
    const selected = softSelection(tape, parameter, `ssg.task.${task}.${k}`, e)
    const x0 = tape.reshape(selected, [rows, fields * dim])
    const { cross_layers, cross_residual, field_layers } = given
    cross.push(crossLayers(tape, parameter, `${name}.cross`, cross_layers, cross_residual, x0))
    field.push(fieldLayers(tape, parameter, `${name}.field`, field_layers, selected))
  }
  return [...cross, ...field]
}

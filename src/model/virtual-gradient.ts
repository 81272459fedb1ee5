/**
 * @file Virtual gradients of DEPHN (paper eq. 8 and 9): the gradient of each scalar gate G_t[k, p] is multiplied by
 * prod over j != t of gamma(x, y), x = association of the labels of j and t, y = min(1, |G_t - G_j|). Forward values and all
 * other gradients stay as they are. The paper takes the association inside a batch; a stream of rare labels makes that noise, so
 * here it comes from decayed sums, 0 until there is enough support. For more than two tasks the product is clipped.
 */

import { z } from 'zod'
import { MillraceError } from '../errors.ts'
import { LabelAssociation } from './label-association.ts'
import type { GradientScale } from './model.ts'

/** The paper's eight candidates for gamma, each with range [0, 2]; it chose the additive square root. */
export const GAMMAS = {
  'additive-sqrt': (x: number, y: number): number => 2 * Math.sqrt(Math.abs(x + y - 1)),
  'additive-abs': (x: number, y: number): number => 2 * Math.abs(x + y - 1),
  'additive-square': (x: number, y: number): number => 2 * (x + y - 1) ** 2,
  'additive-cos': (x: number, y: number): number => Math.cos(Math.PI * (x + y)) + 1,
  'multiplicative-sqrt': (x: number, y: number): number => 2 * Math.sqrt(Math.abs(2 * x * y - 1)),
  'multiplicative-abs': (x: number, y: number): number => 2 * Math.abs(2 * x * y - 1),
  'multiplicative-square': (x: number, y: number): number => 2 * (2 * x * y - 1) ** 2,
  'multiplicative-cos': (x: number, y: number): number => Math.cos(2 * Math.PI * x * y) + 1,
} as const

const gammaName = z.enum([
  'additive-sqrt',
  'additive-abs',
  'additive-square',
  'additive-cos',
  'multiplicative-sqrt',
  'multiplicative-abs',
  'multiplicative-square',
  'multiplicative-cos',
])

/** The `virtual_gradient` field of DEPHN. */
export const virtualGradientOptions = z
  .strictObject({
    enabled: z.boolean().default(true),
    gamma: gammaName.default('additive-sqrt').describe('scale of a gate gradient by x and y'),
    association: z.enum(['pearson', 'cosine']).default('pearson').describe('of label vectors'),
    decay: z.number().min(0).lt(1).default(0.999).describe('of the label sums, per batch'),
    support: z.number().min(1).default(1000).describe('rows before labels count as associated'),
    clip: z
      .tuple([z.number().min(0), z.number().positive()])
      .refine(([low, high]) => low <= high, 'the smallest scale comes first')
      .optional()
      .default([0.1, 2])
      .describe('smallest and largest scale of one gate'),
  })
  .describe('rescaling of gate gradients by label association')

export type VirtualGradientOptions = z.output<typeof virtualGradientOptions>

/** The scale of task `task`'s gates: unclipped product over the other tasks, one value per gate. */
export function virtualScale(
  gates: readonly ArrayLike<number>[],
  task: number,
  association: (other: number) => number,
  gamma: keyof typeof GAMMAS,
): Float64Array {
  const own = gates[task] ?? []
  const scale = new Float64Array(own.length).fill(1)
  for (let other = 0; other < gates.length; other++) {
    if (other === task) continue
    const x = association(other)
    const values = gates[other]!
    for (let i = 0; i < scale.length; i++) {
      scale[i]! *= GAMMAS[gamma](x, Math.min(1, Math.abs(own[i]! - values[i]!)))
    }
  }
  return scale
}

/** Keeps the association of labels over the stream and rescales the gates' gradients by it. */
export class VirtualGradient implements GradientScale {
  readonly names: readonly string[]
  readonly #options: VirtualGradientOptions
  readonly #labels: LabelAssociation

  /** `names`: the gate parameter of every task, in task order. */
  constructor(options: VirtualGradientOptions, names: readonly string[]) {
    this.names = options.enabled ? names : []
    this.#options = options
    this.#labels = new LabelAssociation(names.length, options.decay, options.support)
  }

  observe(labels: Float32Array, mask: Float32Array, rows: number): void {
    this.#labels.observe(labels, mask, rows)
  }

  apply(
    gradient: (name: string) => Float32Array | Float64Array | undefined,
    value: (name: string) => Float32Array | Float64Array,
  ): void {
    const { gamma, association, clip } = this.#options
    const gates = this.names.map(value)
    this.names.forEach((name, task) => {
      const g = gradient(name)
      if (g === undefined) return
      if (g.length !== gates[task]?.length) {
        throw new MillraceError('BAD_STATE', `the gradient of ${name} is not of its size`)
      }
      const phi = (other: number): number => this.#labels.of(task, other, association)
      const scale = virtualScale(gates, task, phi, gamma)
      for (let i = 0; i < g.length; i++) {
        g[i]! *= Math.min(clip[1], Math.max(clip[0], scale[i]!))
      }
    })
  }

  snapshot(): Uint8Array {
    return this.#labels.snapshot()
  }

  restore(bytes: Uint8Array): void {
    this.#labels.restore(bytes)
  }
}

/**
 * @file The linear head of DEPHN: logit_t = <public_t, mapped experts> + <cross_t, cross parts> + <field_t, field parts> + bias.
 * The paper's own layout of a tower without hidden layers; its two biases are one here.
 */

import type { Tape, Var } from '../tensors/tape.ts'
import type { Site } from './dense-layers.ts'
import type { ParameterSource, ParameterSpec } from './model.ts'
import type { Tower } from './tower.ts'

/** The parts of a tower input, in its order: K x P mapped experts of width h, then K' cross and K' field parts of width n. */
export interface HeadLayout {
  readonly mapped: readonly [experts: number, mappings: number, width: number]
  readonly modules: readonly [modules: number, width: number]
}

/** Width of the tower input that the layout describes. */
export function headWidth({ mapped, modules }: HeadLayout): number {
  return mapped[0] * mapped[1] * mapped[2] + 2 * modules[0] * modules[1]
}

/** The tower whose last hidden activation is its input. */
export function linearHead(site: Site, layout: HeadLayout): Tower {
  const width = headWidth(layout)
  const weight = (part: string, shape: readonly number[]): ParameterSpec => ({
    ...site,
    name: `${site.name}.${part}`,
    shape,
    initial: { kind: 'glorot', fanIn: width, fanOut: 1 },
  })
  const parts = [
    weight('public', layout.mapped),
    weight('cross', layout.modules),
    weight('field', layout.modules),
  ]
  return {
    hiddenWidth: width,
    parameters: [
      ...parts,
      { ...site, name: `${site.name}.bias`, shape: [1], initial: { kind: 'zeros' } },
    ],
    forward: (tape: Tape, parameter: ParameterSource, input: Var) => {
      const flat = parts.map(({ name, shape }) => {
        const size = shape.reduce((product, axis) => product * axis, 1)
        return tape.reshape(parameter(name), [size])
      })
      const column = tape.reshape(tape.concat(flat), [width, 1])
      return { hidden: input, logit: tape.linear(input, column, parameter(`${site.name}.bias`)) }
    },
  }
}

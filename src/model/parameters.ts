/** @file The values of a model's named parameters: one flat typed array in canonical order, seen through a view per name. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Stage } from '../stage.ts'
import { fillInitial } from './initial-values.ts'
import type { ParameterSpec } from './model.ts'

/**
 * Float32 parameters of one model. Views are live: an optimizer writes into them. The order is the order of the specs, so
 * equal values are equal bytes.
 */
export class Parameters implements Stage {
  readonly specs: readonly ParameterSpec[]
  /** Every value, name after name. */
  readonly values: Float32Array
  readonly #views = new Map<string, Float32Array>()

  /** Initial values by the specs and the seed; BAD_STATE when two specs have one name. */
  constructor(specs: readonly ParameterSpec[], seed: number) {
    this.specs = specs
    this.values = new Float32Array(countValues(specs))
    let at = 0
    for (const spec of specs) {
      const view = this.values.subarray(at, at + sizeOf(spec))
      if (this.#views.has(spec.name)) {
        throw new MillraceError('BAD_STATE', `two parameters are called ${spec.name}`)
      }
      this.#views.set(spec.name, view)
      fillInitial(view, spec.initial, seed, spec.name)
      at += view.length
    }
  }

  /** The live values of one parameter; BAD_STATE when there is none of that name. */
  view(name: string): Float32Array {
    const view = this.#views.get(name)
    if (view === undefined) {
      throw new MillraceError('BAD_STATE', `the model has no parameter ${name}`)
    }
    return view
  }

  /** Shapes are written beside the values, so that bytes of another model are refused. */
  snapshot(): Uint8Array {
    return new ByteWriter(this.values.byteLength + 1024)
      .json(layoutOf(this.specs))
      .array(this.values)
      .finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    const layout = JSON.stringify(reader.json())
    if (layout !== JSON.stringify(layoutOf(this.specs))) {
      throw new MillraceError('CORRUPT', 'the saved parameters belong to another model', {
        remedy: 'use the model section that the state was made with, or start a new state folder',
      })
    }
    this.values.set(reader.float32())
  }
}

/** Values in one parameter. */
export function sizeOf(spec: ParameterSpec): number {
  return spec.shape.reduce((product, size) => product * size, 1)
}

/** Values in all of them. */
export function countValues(specs: readonly ParameterSpec[]): number {
  return specs.reduce((sum, spec) => sum + sizeOf(spec), 0)
}

function layoutOf(specs: readonly ParameterSpec[]): (string | readonly number[])[][] {
  return specs.map((spec) => [spec.name, spec.shape])
}

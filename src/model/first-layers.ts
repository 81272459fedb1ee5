/**
 * @file First layers on an input of which some columns are the same in every row: x W + b = x_varying W_varying + (x_shared W_shared
 * + b), the part in brackets once for all rows.
 */

import type { Engine, Tensor } from '../tensors/engine.ts'
import type { Parameters } from './parameters.ts'
import type { SplitMatrix } from './split-matrix.ts'

/** The weights of one layer, cut to the columns that vary. */
interface CutWeight {
  readonly places: readonly number[]
  readonly tensor: Tensor
}

/** What a layer multiplies the varying columns by, and what it adds to every row. */
export interface SplitLayer {
  /** Stays in the engine for the next request. */
  readonly weight: Tensor
  /** [outputs]; the caller's. */
  readonly bias: Tensor
}

/** Cut weights stay in the engine as long as inputs are split in the same way. */
export class FirstLayers {
  readonly #engine: Engine
  readonly #parameters: Parameters
  readonly #cut = new Map<string, CutWeight>()

  constructor(engine: Engine, parameters: Parameters) {
    this.#engine = engine
    this.#parameters = parameters
  }

  /** The layer with these parameters, for an input that is split so. */
  split({ places, shared }: SplitMatrix, weight: string, bias: string | undefined): SplitLayer {
    const values = this.#parameters.view(weight)
    const outputs = values.length / places.length
    const row = new Float64Array(outputs)
    if (bias !== undefined) row.set(this.#parameters.view(bias))
    for (const [c, place] of places.entries()) {
      if (place >= 0) continue
      const value = shared[-1 - place]!
      for (let j = 0; j < outputs; j++) row[j] = row[j]! + value * values[c * outputs + j]!
    }
    return {
      weight: this.#cutWeight(weight, places, outputs),
      bias: this.#engine.upload(row, [outputs]),
    }
  }

  /** Gives the engine's memory back. */
  release(): void {
    for (const { tensor } of this.#cut.values()) this.#engine.dispose(tensor)
    this.#cut.clear()
  }

  #cutWeight(name: string, places: readonly number[], outputs: number): Tensor {
    const known = this.#cut.get(name)
    if (known !== undefined && areEqual(known.places, places)) return known.tensor
    if (known !== undefined) this.#engine.dispose(known.tensor)
    const values = this.#parameters.view(name)
    const rows = places.filter((place) => place >= 0).length
    const cut = new Float32Array(rows * outputs)
    for (const [c, place] of places.entries()) {
      if (place >= 0) cut.set(values.subarray(c * outputs, (c + 1) * outputs), place * outputs)
    }
    const tensor = this.#engine.upload(cut, [rows, outputs])
    this.#cut.set(name, { places, tensor })
    return tensor
  }
}

function areEqual(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((place, c) => place === b[c])
}

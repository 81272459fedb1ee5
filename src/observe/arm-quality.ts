/** @file Prequential quality by the arm of an A/B test that showed the impression: the same figures as for all of them, apart. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Stage } from '../stage.ts'
import { Progressive } from './progressive.ts'
import type { TaskQuality } from './report.ts'
import type { ScoredBatch } from './scored-batch.ts'

export interface ArmQualityOptions {
  /** How many arms. */
  readonly arms: number
  readonly tasks: readonly string[]
  /** Labelled samples per arm and task in the live figures. */
  readonly window: number
}

export class ArmQuality implements Stage {
  readonly #tasks: number
  readonly #arms: readonly Progressive[]

  constructor({ arms, tasks, window }: ArmQualityOptions) {
    this.#tasks = tasks.length
    this.#arms = Array.from({ length: arms }, () => new Progressive({ tasks, window }))
  }

  /** Takes in judged rows; `armOfRow`: the place of each row's arm. */
  observe(batch: ScoredBatch, armOfRow: readonly number[]): void {
    for (const arm of new Set(armOfRow)) {
      const mask = Uint8Array.from({ length: this.#tasks * batch.rows }, (_, at) =>
        armOfRow[at % batch.rows] === arm && batch.mask[at] !== 0 ? 1 : 0,
      )
      this.#arms[arm]?.observe({ ...batch, mask })
    }
  }

  /** By arm. O(window log window) per arm and task. */
  quality(): (readonly TaskQuality[])[] {
    return this.#arms.map((arm) => arm.quality())
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter(4096).text('arm-quality 1').u32(this.#arms.length)
    for (const arm of this.#arms) writer.bytes(arm.snapshot())
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes).expect('arm-quality 1')
    const arms = reader.u32()
    if (arms !== this.#arms.length) {
      throw new MillraceError('CORRUPT', `quality of ${arms} arms, not ${this.#arms.length}`)
    }
    for (const arm of this.#arms) arm.restore(reader.bytes())
    reader.end()
  }
}

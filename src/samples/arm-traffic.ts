/**
 * @file Of an A/B test on one bus, the samples that this arm learns from: those of impressions that it has shown itself, all, or those of
 * another arm. Sits between the join and the negatives; what it leaves out reaches neither the model nor the rates.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Stage } from '../stage.ts'
import { type ArmOptions, UNNAMED_ARM } from './arm-options.ts'
import { type Sample, teaches } from './sample.ts'

/** The state is the counts. */
export class ArmTraffic implements Stage {
  readonly #options: ArmOptions
  /** This arm first, what names no arm last. */
  readonly names: readonly string[]
  /** Rows that teach, by arm: those that were let through, and the others. */
  readonly learned: Float64Array
  readonly leftOut: Float64Array

  constructor(options: ArmOptions) {
    this.#options = options
    this.names = [options.name, ...options.others, UNNAMED_ARM]
    this.learned = new Float64Array(this.names.length)
    this.leftOut = new Float64Array(this.names.length)
  }

  /** The place in `names` of the arm that showed the impression; that of the last where it says none of the others. */
  armOf({ fields }: Sample): number {
    const value = fields[this.#options.field]
    const index = value === undefined ? -1 : this.names.indexOf(String(value))
    return index < 0 ? this.names.length - 1 : index
  }

  /** The samples to learn from; counts both kinds. A tombstone is every arm's. */
  pick(samples: readonly Sample[]): readonly Sample[] {
    return samples.filter((sample) => {
      if (sample.role === 'erasure') return true
      const arm = this.armOf(sample)
      const isWanted = this.#wants(arm)
      if (teaches(sample)) (isWanted ? this.learned : this.leftOut)[arm]! += 1
      return isWanted
    })
  }

  snapshot(): Uint8Array {
    return new ByteWriter().text('arm-traffic 1').array(this.learned).array(this.leftOut).finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes).expect('arm-traffic 1')
    const [learned, leftOut] = [reader.float64(), reader.float64()]
    reader.end()
    if (learned.length !== this.names.length) {
      throw new MillraceError(
        'CORRUPT',
        `counts of ${learned.length} arms, not ${this.names.length}`,
      )
    }
    this.learned.set(learned)
    this.leftOut.set(leftOut)
  }

  #wants(arm: number): boolean {
    const { train_on: on, name, mirrors } = this.#options
    switch (on) {
      case 'shared':
        return true
      case 'own':
        return this.names[arm] === name
      case 'mirrored':
        return this.names[arm] === mirrors
    }
  }
}

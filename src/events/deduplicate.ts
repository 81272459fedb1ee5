/** @file De-duplication by event id, per input: the first step after decoding, with memory bounded by time and by count. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Stage } from '../stage.ts'
import type { EventTime } from '../time.ts'
import type { Name } from './name-units.ts'
import type { DedupeOptions } from './options.ts'
import { RecentIds } from './recent-ids.ts'

/**
 * One memory per input: deliveries of an event have the same key, hence the same partition. With `withinMs` no less than
 * the lateness, a copy that is forgotten is late, so no event is joined twice unless `maxIds` is too small.
 */
export class Deduplicator implements Stage {
  readonly #inputs: readonly RecentIds[]

  constructor(inputs: number, options: DedupeOptions) {
    this.#inputs = Array.from({ length: inputs }, () => new RecentIds(options))
  }

  /** Ids remembered over all inputs. */
  get size(): number {
    return this.#inputs.reduce((sum, ids) => sum + ids.size, 0)
  }

  /** True for the first delivery. A duplicate changes nothing, not even the input's clock. */
  isNew(input: number, id: Name, time: EventTime): boolean {
    const ids = this.#inputs[input]
    if (ids !== undefined) return ids.add(id, time)
    throw new MillraceError('BAD_STATE', `input ${input} of ${this.#inputs.length}`)
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter().text('deduplicator 1').u32(this.#inputs.length)
    for (const ids of this.#inputs) ids.write(writer)
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes).expect('deduplicator 1')
    const inputs = reader.u32()
    if (inputs !== this.#inputs.length) {
      throw new MillraceError(
        'CORRUPT',
        `ids of ${inputs} inputs for a job with ${this.#inputs.length}`,
        {
          remedy: 'restore with the topics and partition counts that the snapshot was taken with',
        },
      )
    }
    for (const ids of this.#inputs) ids.read(reader)
    reader.end()
  }
}

/** @file Which samples of one partition of the samples topic are new: by their numbers, or by their names where they have none. */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Event } from '../events/event.ts'
import type { DedupeOptions } from '../events/options.ts'
import { RecentIds } from '../events/recent-ids.ts'
import type { SamplesOptions } from './options.ts'
import { type SampleSource, sourceOf } from './sample-record.ts'

/** Before the first numbered sample. */
const NONE = -1

/**
 * A joiner numbers the samples of its shard, the same in every life, so the next number is new and a lower one was there. A
 * lower epoch than before is a joiner that was replaced: its samples are the same ones, and come from its successor.
 */
export class SampleOrder {
  readonly #recent: RecentIds
  readonly #gaps: SamplesOptions['gaps']
  #next = NONE
  #epoch = NONE
  #missing = 0

  constructor(dedupe: DedupeOptions, gaps: SamplesOptions['gaps']) {
    this.#recent = new RecentIds(dedupe)
    this.#gaps = gaps
  }

  /** Numbered samples that were never there. */
  get missing(): number {
    return this.#missing
  }

  /** CORRUPT where numbers are missing, unless gaps are accepted; `place` is the partition, for the error. */
  isNew(event: Event, place: string): boolean {
    const source = sourceOf(event)
    if (source === undefined) return this.#recent.add(rowName(event), event.time)
    const { sequence, epoch } = source
    if (epoch < this.#epoch || sequence < this.#next) return false
    if (this.#next !== NONE && sequence > this.#next) this.#noteGap(source, event, place)
    this.#next = sequence + 1
    this.#epoch = epoch
    return true
  }

  write(writer: ByteWriter): void {
    writer.f64(this.#next).f64(this.#epoch).f64(this.#missing)
    this.#recent.write(writer)
  }

  read(reader: ByteReader): void {
    this.#next = reader.f64()
    this.#epoch = reader.f64()
    this.#missing = reader.f64()
    this.#recent.read(reader)
  }

  #noteGap({ sequence, shard }: SampleSource, { source }: Event, place: string): void {
    if (this.#gaps === 'stop') {
      throw new MillraceError(
        'CORRUPT',
        `${place} offset ${source.offset}: sample ${sequence} of shard ${shard} comes after sample ${this.#next - 1}, what lies between is missing`,
        {
          remedy:
            'find out what the topic lost (retention, an unclean election); samples.gaps: accept goes on without it',
        },
      )
    }
    this.#missing += sequence - this.#next
  }
}

/** What tells a row without a number from the others: its impression, role, when it matured, and which tasks it knows. */
function rowName({ id, time, fields }: Event): string {
  const labels = fields.labels as readonly { readonly task: string }[]
  const tasks = labels.map(({ task }) => task).join()
  return `${id}/${time}/${String(fields.role)}/${tasks}`
}

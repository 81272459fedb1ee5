/**
 * @file Negatives for jobs without impressions: nobody says what was passed over, so the first action on a pair of user and item
 * is compared with items drawn as often as users act on them (noise-contrastive estimation, Gutmann and Hyvärinen 2012). The
 * probability of a draw goes with every row and is undone in the loss (Yi et al. 2019, "Sampling-bias-corrected neural
 * modeling", logQ). Sits between the join and the mini-batcher.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { hashShare } from '../events/id-hash.ts'
import { mix32 } from '../random.ts'
import type { Stage } from '../stage.ts'
import { RecentItems } from './recent-items.ts'
import { changed, type Sample } from './sample.ts'

/** What is drawn, and from what. */
export interface DrawOptions {
  /** k, negatives for each first action. */
  readonly perAction: number
  /** First actions that popularity is counted over. */
  readonly ofLast: number
  /** Fields of a sample that belong to its item; its id among them. */
  readonly itemFields: readonly string[]
  readonly seed: number
}

/** Keeps these draws apart from others by the same ids. */
const DRAW_SALT = 0x64726177

/**
 * A first action teaches its positives only. Of every item i there are k Q(i) drawn rows for each action of the user, Q by the
 * actions before this one, so the odds of the stream are p / (k Q(i)) exactly, where p is the probability that the user's next
 * action is on i. That holds for draws of the very item too, so they stay. An item that was not acted on within the memory cannot
 * be drawn: its action is taken in and teaches nothing.
 */
export class DrawnNegatives implements Stage {
  readonly #options: DrawOptions
  readonly #recent: RecentItems

  constructor(options: DrawOptions) {
    this.#options = options
    this.#recent = new RecentItems(options.ofLast)
  }

  /** Each sample with its negatives right behind it. */
  draw(samples: readonly Sample[]): Sample[] {
    return samples.flatMap((sample) => {
      if (sample.role === 'erasure') return [sample]
      const drawn = this.#rowsOf(sample)
      this.#recent.add(itemOf(sample), picked(sample.fields, this.#options.itemFields))
      return drawn
    })
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter(4096).text('drawn-negatives 1')
    this.#recent.write(writer)
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes).expect('drawn-negatives 1')
    this.#recent.read(reader)
    reader.end()
  }

  #rowsOf(sample: Sample): Sample[] {
    const positives = sample.learned.map((one, task) => (sample.labels[task]! > 0 ? one : 0))
    const item = itemOf(sample)
    const row =
      this.#recent.count(item) > 0
        ? changed(sample, { learned: positives, logDrawRate: this.#logDrawRate(item) })
        : changed(sample, { learned: new Uint8Array(positives.length) })
    const draws = this.#recent.size > 0 ? this.#options.perAction : 0
    return [row, ...Array.from({ length: draws }, (_, n) => this.#negative(sample, n))]
  }

  /** A row on which nothing happened, so no label of it is known beyond what it teaches. */
  #negative(sample: Sample, n: number): Sample {
    const share = hashShare(sample.id, mix32(DRAW_SALT ^ this.#options.seed) + n)
    const item = this.#recent.at(Math.floor(share * this.#recent.size))
    const none = new Uint8Array(sample.mask.length)
    return changed(sample, {
      role: 'drawn',
      id: `${sample.id}#${n}`,
      fields: { ...sample.fields, ...item.fields },
      labels: new Float32Array(sample.labels.length),
      mask: none,
      learned: sample.learned,
      logDrawRate: this.#logDrawRate(item.name),
    })
  }

  /** ln k Q(i). */
  #logDrawRate(item: string): number {
    const { perAction } = this.#options
    return Math.log((perAction * this.#recent.count(item)) / this.#recent.size)
  }
}

/** The probability of a positive among what a job without impressions learns from: odds p / (k Q). */
export function amongDrawn(probability: number, logDrawRate: number): number {
  const drawn = Math.exp(logDrawRate)
  return probability / (probability + drawn)
}

/** Keys are user and item with U+0000 between them. */
function itemOf({ key }: Sample): string {
  return key.slice(key.indexOf('\u0000') + 1)
}

function picked(fields: Sample['fields'], names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, fields[name]]))
}

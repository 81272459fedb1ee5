/** @file What the join learns about labels beside joining them: how they flow (label-flow.ts) and how long they take (delay-curve.ts). */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import type { LabelHealth } from '../health.ts'
import type { EventTime } from '../time.ts'
import { type DelayCurve, DelayHistograms, type OpenSubject } from './delay-curve.ts'
import { LabelFlow } from './label-flow.ts'
import { type JoinOptions, longestWindowMs } from './options.ts'

/** One per join; sees events in event-time order. */
export class LabelWatch {
  readonly #names: readonly string[]
  readonly #windowsMs: readonly number[]
  readonly #rememberedMs: number
  /** Per task; empty without a guard. */
  readonly #flows: readonly LabelFlow[]
  readonly #delays: DelayHistograms

  /** `rememberedMs`: how long after an impression its key is remembered. */
  constructor({ tasks, guard }: JoinOptions, rememberedMs: number) {
    this.#names = tasks.map((task) => task.name)
    this.#windowsMs = tasks.map((task) => task.windowMs)
    this.#rememberedMs = longestWindowMs(tasks) + rememberedMs
    this.#flows =
      guard === undefined ? [] : tasks.map(({ windowMs }) => new LabelFlow(windowMs, guard))
    this.#delays = new DelayHistograms(this.#names, rememberedMs)
  }

  get health(): readonly LabelHealth[] {
    return this.#flows.map(({ state, since, usualRate, count }, task) => {
      return { task: this.#names[task] ?? '', state, since, usualRate, anomalies: count }
    })
  }

  impression(time: EventTime): void {
    for (const flow of this.#flows) {
      flow.impression(time)
      flow.forget(time - this.#rememberedMs)
    }
  }

  /** The first label of an impression inside its window. */
  label(task: number, time: EventTime): void {
    this.#flows[task]?.label(time)
  }

  /** Of these tasks those whose labels were beyond doubt during all of their window after `time`. */
  known(mask: Uint8Array, time: EventTime): Uint8Array {
    if (!this.#remembersAnomalies()) return mask
    return without(mask, this.#flows, (flow, task) =>
      flow.isDoubtful(time, time + this.#windowsMs[task]!),
    )
  }

  /** Of these tasks those whose labels are beyond doubt now. */
  trusted(mask: Uint8Array): Uint8Array {
    return without(mask, this.#flows, (flow) => flow.since !== undefined)
  }

  /** Whether the task did not learn at that moment. */
  wasFrozen(task: number, at: EventTime): boolean {
    return this.#flows[task]?.wasFrozen(at) === true
  }

  /** An impression is forgotten; per task the delay of its first label, negative if there was none. */
  followed(delayMsOf: (task: number) => number): void {
    this.#delays.add(delayMsOf)
  }

  curves(open: readonly OpenSubject[]): DelayCurve[] {
    return this.#delays.curves(open)
  }

  #remembersAnomalies(): boolean {
    for (const flow of this.#flows) if (flow.remembersAnomalies) return true
    return false
  }

  write(writer: ByteWriter): void {
    for (const flow of this.#flows) flow.write(writer)
    this.#delays.write(writer)
  }

  read(reader: ByteReader): void {
    for (const flow of this.#flows) flow.read(reader)
    this.#delays.read(reader)
  }
}

/** The mask without the tasks that are in doubt; the mask itself where none is. */
function without(
  mask: Uint8Array,
  flows: readonly LabelFlow[],
  isDoubtful: (flow: LabelFlow, task: number) => boolean,
): Uint8Array {
  let kept: Uint8Array | undefined
  for (let task = 0; task < flows.length; task++) {
    if (mask[task] !== 1 || !isDoubtful(flows[task]!, task)) continue
    kept ??= mask.slice()
    kept[task] = 0
  }
  return kept ?? mask
}

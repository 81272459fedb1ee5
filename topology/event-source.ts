/**
 * @file Where epochs come from: polls the event topics, keeps them aligned in event time so that memory stays bounded, decides
 * which inputs are idle or finished, and hands out epochs. A replayed epoch reads exactly the ranges that the journal names.
 */

import type { Epoch, EpochRead } from '../src/broker/epoch-journal.ts'
import type { Position, RecordBatch, TopicLog } from '../src/broker/topic-log.ts'
import { MillraceError } from '../src/errors.ts'
import { partitionName, type TopicPartition } from '../src/ids.ts'
import type { Clock } from '../src/time.ts'

/** What a source needs of the bus. */
export type EventLog = Pick<TopicLog, 'bounds' | 'read' | 'waitForRecords' | 'commitOffsets'>

/** What the source must know of the joiner. */
export interface EventTimes {
  /** The newest event time seen on an input, -Infinity before the first. */
  maxTime(input: number): number
  /** Events that wait for the watermark. */
  readonly buffered: number
}

export interface EventSourceOptions {
  readonly log: EventLog
  /** Dense index of an input = its place here; topics in job order, partitions ascending. */
  readonly inputs: readonly TopicPartition[]
  readonly clock: Clock
  /** Wall-clock time after which a silent input stops holding the watermark back. */
  readonly idleMs: number
  /** Records of one input in one epoch. */
  readonly maxRecords: number
  /** An input this far ahead (event time) of the slowest one with records left is not read. */
  readonly alignMs: number
  /** With so many events waiting for the watermark, only inputs that hold it back are read. */
  readonly maxBuffered: number
}

/** An epoch to run, with the records it names. */
export interface Poll {
  readonly epoch: Epoch
  readonly batches: readonly RecordBatch[]
}

/** The inputs of one learner. Positions move only with `applied`, so that a failed epoch can be read again. */
export class EventSource {
  readonly #options: EventSourceOptions
  readonly #positions: number[]
  readonly #lastSeenMs: number[]
  readonly #idle = new Set<number>()
  readonly #finished = new Set<number>()
  #ends: readonly number[] | undefined
  #nextEpoch = 0

  constructor(options: EventSourceOptions) {
    this.#options = options
    this.#positions = options.inputs.map(() => 0)
    this.#lastSeenMs = options.inputs.map(() => options.clock.now())
  }

  /** Next offset of every input: a copy. */
  get positions(): readonly number[] {
    return [...this.#positions]
  }

  get nextEpoch(): number {
    return this.#nextEpoch
  }

  /** Goes on from a checkpoint. */
  seek(positions: readonly number[], nextEpoch: number): void {
    for (const [input, offset] of positions.entries()) this.#positions[input] = offset
    this.#nextEpoch = nextEpoch
  }

  /** From now on the stream ends where the log ends now: inputs that reach their end are finished. */
  async endHere(): Promise<void> {
    const ends: number[] = []
    for (const input of this.#options.inputs) {
      const bounds = await this.#options.log.bounds(input.topic)
      ends.push(bounds.find((one) => one.partition === input.partition)?.latest ?? 0)
    }
    this.#ends = ends
  }

  /** The next epoch of the live log; one without reads when nothing new is there and no decision changed. */
  async poll(times: EventTimes): Promise<Poll> {
    const lag = await this.lag()
    const batches = await this.#read(times, lag)
    const reads = batches.map((batch) => ({
      input: this.#indexOf(batch),
      from: this.#positions[this.#indexOf(batch)] ?? 0,
      to: batch.nextOffset,
    }))
    this.#decide(reads, lag)
    const finished = [...this.#finished].sort((a, b) => a - b)
    const epoch: Epoch = {
      number: this.#nextEpoch,
      reads,
      idle: [...this.#idle].sort((a, b) => a - b),
      finished,
      end: finished.length === this.#options.inputs.length,
    }
    return { epoch, batches }
  }

  /** The records of a journalled epoch; BROKER error when the log no longer has them. */
  async replay(epoch: Epoch): Promise<Poll> {
    const batches: RecordBatch[] = []
    for (const read of epoch.reads) batches.push(...(await this.#readRange(read)))
    return { epoch, batches }
  }

  /** The epoch ran: move on. */
  applied(epoch: Epoch): void {
    for (const read of epoch.reads) this.#positions[read.input] = read.to
    for (const input of epoch.finished) this.#finished.add(input)
    this.#nextEpoch = epoch.number + 1
  }

  /** After a checkpoint with these positions: lets the committed offsets of a group follow it, where the log has groups. */
  async commitOffsets(group: string, positions: readonly number[]): Promise<void> {
    const { log, inputs } = this.#options
    const safe = inputs.map((at, input) => ({ ...at, offset: positions[input] ?? 0 }))
    await log.commitOffsets?.(group, safe)
  }

  /** Resolves when there may be something to read, at the latest after `timeoutMs`. */
  async wait(timeoutMs: number): Promise<void> {
    await this.#options.log.waitForRecords(this.#allPositions(), timeoutMs)
  }

  /** Records not read yet, per input. */
  async lag(): Promise<readonly number[]> {
    const latest = new Map<string, number>()
    const topics = new Set(this.#options.inputs.map((input) => input.topic))
    // Together: over a network each is a round trip.
    const bounds = await Promise.all(Array.from(topics, (topic) => this.#options.log.bounds(topic)))
    for (const bound of bounds.flat()) latest.set(partitionName(bound), bound.latest)
    return this.#options.inputs.map(
      (input, index) => (latest.get(partitionName(input)) ?? 0) - (this.#positions[index] ?? 0),
    )
  }

  async #read(times: EventTimes, lag: readonly number[]): Promise<readonly RecordBatch[]> {
    const open = this.#options.inputs
      .map((_, input) => input)
      .filter((input) => (lag[input] ?? 0) > 0)
    const positions = this.#chosen(open, times).map((input) => this.#positionOf(input))
    const batches = await this.#options.log.read(positions, this.#options.maxRecords)
    return batches.map((batch) => this.#cutAtEnd(batch)).filter((batch) => batch !== undefined)
  }

  /** Which of the inputs with records left are read: those that are behind, so that little waits in memory. */
  #chosen(open: readonly number[], times: EventTimes): readonly number[] {
    const slowest = (inputs: readonly number[]): number =>
      Math.min(...inputs.map((input) => times.maxTime(input)))
    if (times.buffered < this.#options.maxBuffered) {
      const limit = slowest(open) + this.#options.alignMs
      return open.filter((input) => times.maxTime(input) <= limit)
    }
    const holding = [...this.#options.inputs.keys()].filter(
      (input) => !this.#idle.has(input) && !this.#finished.has(input),
    )
    const limit = slowest(holding)
    return open.filter((input) => times.maxTime(input) <= limit)
  }

  #cutAtEnd(batch: RecordBatch): RecordBatch | undefined {
    const end = this.#ends?.[this.#indexOf(batch)]
    if (end === undefined || batch.nextOffset <= end) return batch
    const records = batch.records.filter((record) => record.offset < end)
    return records.length === 0 ? undefined : { ...batch, records, nextOffset: end }
  }

  #decide(reads: readonly EpochRead[], lag: readonly number[]): void {
    const now = this.#options.clock.now()
    for (const read of reads) {
      this.#lastSeenMs[read.input] = now
      this.#idle.delete(read.input)
    }
    const reached = new Map(reads.map((read) => [read.input, read.to]))
    for (const input of this.#options.inputs.keys()) {
      const position = reached.get(input) ?? this.#positions[input] ?? 0
      const end = this.#ends?.[input]
      if (end !== undefined && position >= end) this.#finished.add(input)
      // An input with records left is not silent: it only was not its turn.
      if ((lag[input] ?? 0) > 0) this.#lastSeenMs[input] = now
      else if (now - (this.#lastSeenMs[input] ?? now) >= this.#options.idleMs) this.#idle.add(input)
    }
  }

  async #readRange({ input, from, to }: EpochRead): Promise<RecordBatch[]> {
    const { topic, partition } = this.#positionOf(input)
    const batches: RecordBatch[] = []
    for (let offset = from; offset < to; ) {
      const [batch] = await this.#options.log.read([{ topic, partition, offset }], to - offset)
      if (batch === undefined || (batch.records[0]?.offset ?? 0) > offset) {
        throw new MillraceError(
          'BROKER',
          `${topic}/${partition} no longer has offsets ${offset} to ${to}, which the journal replays`,
          { remedy: 'retention was shorter than the outage: start a new state folder' },
        )
      }
      batches.push({ ...batch, records: batch.records.filter((record) => record.offset < to) })
      offset = Math.min(to, batch.nextOffset)
    }
    return batches
  }

  #positionOf(input: number): Position {
    const at = this.#options.inputs[input]
    if (at === undefined) throw new MillraceError('BAD_STATE', `input ${input} is not in this job`)
    return { ...at, offset: this.#positions[input] ?? 0 }
  }

  #allPositions(): Position[] {
    return this.#options.inputs.map((_, input) => this.#positionOf(input))
  }

  #indexOf(at: TopicPartition): number {
    return this.#options.inputs.findIndex(
      (input) => input.topic === at.topic && input.partition === at.partition,
    )
  }
}

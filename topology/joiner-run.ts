/** @file One life of a joiner: holds the shards that its group gives it, runs their epochs in rounds, hands them over at rest. */

import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import type { OutgoingRecord, PartitionBounds, TopicLog } from '../src/broker/topic-log.ts'
import type { GroupMember } from '../src/broker/work-group.ts'
import { MillraceError } from '../src/errors.ts'
import { type Job, openedShare } from '../src/settings/job.ts'
import type { Clock } from '../src/time.ts'
import { appendClaimed } from './claimed-partition.ts'
import { type EventInput, eventInputs, inputsOfPartition } from './event-inputs.ts'
import type { EventLog } from './event-source.ts'
import { JOINER, roleName } from './learner-role.ts'
import { createSamplesTopic, sampleCodec } from './sample-inputs.ts'
import { Shard, type ShardContext, type ShardEpoch } from './shard.ts'
import { epochPayload, ShardStore } from './shard-store.ts'
import { sideTopics } from './side-outputs.ts'

export interface JoinerOptions {
  readonly job: Job
  readonly log: TopicLog
  readonly clock: Clock
  /** End when the shards that are held are read to where the log ends when they are taken over. */
  readonly untilEnd: boolean
  /** Something for the log: a shard came, went, or was claimed by another process. */
  readonly onChange?: (change: ShardChange) => void
}

/** What happened to a shard of this joiner. */
export interface ShardChange {
  readonly shard: number
  readonly change: 'taken' | 'handed over' | 'fenced'
}

/** Longest wait for new records, ms: how soon a stop or a change of the group is noticed. */
const POLL_TIMEOUT_MS = 100

/** Mutable; `round` after `round`, then `close`. */
export class JoinerRun {
  readonly #options: JoinerOptions
  readonly #context: ShardContext
  readonly #bounds: SharedBounds
  readonly #member: GroupMember
  readonly #shards = new Map<number, Shard>()
  #fenced = false
  #records = 0
  #stopping = false

  private constructor(
    options: JoinerOptions,
    parts: {
      readonly context: ShardContext
      readonly bounds: SharedBounds
      readonly member: GroupMember
    },
  ) {
    this.#options = options
    this.#context = parts.context
    this.#bounds = parts.bounds
    this.#member = parts.member
  }

  /** Makes the topics and joins the group; BAD_SETTINGS when the event topics are not cut alike. */
  static async open(options: JoinerOptions): Promise<JoinerRun> {
    const { job, log, clock } = options
    const inputs = await eventInputs(job, log)
    const shards = shardsOf(inputs)
    await createTopics(job, log, shards)
    const bounds = new SharedBounds(log)
    const member = await log.joinGroup({
      group: groupOf(job),
      topics: job.events.kinds.map(({ topic }) => topic),
      pieces: shards,
      sessionMs: job.bus.kind === 'kafka' ? job.bus.session_ms : 0,
    })
    const context: ShardContext = {
      job,
      log,
      events: bounds,
      clock,
      owner: `${hostname()} process ${process.pid}`,
      codec: sampleCodec(job),
      joinHash: joinHash(job),
      inputsOf: (shard) => inputsOfPartition(job, inputs, shard),
    }
    return new JoinerRun(options, { context, bounds, member })
  }

  /** The shards that are held, ascending. */
  get shards(): readonly Shard[] {
    return [...this.#shards.values()].sort((a, b) => a.number - b.number)
  }

  /** Records read in this life. */
  get records(): number {
    return this.#records
  }

  get stopping(): boolean {
    return this.#stopping
  }

  /** The round under way is the last one of this life. */
  stop(): void {
    this.#stopping = true
  }

  /** One epoch of every shard that has something to do; false when everything has ended, or the run was stopped. */
  async round(): Promise<boolean> {
    if (this.#fenced || this.#member.unsettled) await this.#settle()
    this.#bounds.forget()
    const epochs = new Map<Shard, ShardEpoch>()
    for (const shard of this.#shards.values()) {
      const epoch = await shard.next()
      if (epoch !== undefined) epochs.set(shard, epoch)
    }
    await this.#journal(epochs)
    await this.#run(epochs)
    for (const shard of this.#shards.values()) await this.#saveWhenDue(shard)
    if (this.#stopping) return false
    if (epochs.size > 0) return true
    if (this.#hasEnded()) return false
    const positions = this.shards.flatMap((shard) => shard.positions)
    await this.#context.log.waitForRecords(positions, POLL_TIMEOUT_MS)
    return true
  }

  /** Saves, hands everything over, leaves the group. */
  async close(): Promise<void> {
    await this.#rest()
    await this.#release([...this.#shards.keys()])
    await this.#member.leave()
  }

  #hasEnded(): boolean {
    // Without a shard it waits: others may leave theirs, and the last joiner gets all.
    const { untilEnd } = this.#options
    return untilEnd && this.#shards.size > 0 && this.shards.every(({ ended }) => ended)
  }

  /** Drain, save, then hand over. */
  async #settle(): Promise<void> {
    await this.#rest()
    this.#fenced = false
    const held = await this.#member.settle((pieces) => this.#release(pieces))
    for (const shard of held) {
      if (this.#shards.has(shard)) continue
      const taken = await Shard.open(this.#context, shard)
      if (this.#options.untilEnd) {
        this.#bounds.forget()
        await taken.endHere()
      }
      this.#shards.set(shard, taken)
      this.#options.onChange?.({ shard, change: 'taken' })
    }
  }

  /** Between rounds nothing is under way: what was read since the last save is saved. */
  async #rest(): Promise<void> {
    for (const shard of [...this.#shards.values()]) {
      if (shard.unsaved > 0 && shard.caughtUp) await this.#unlessFenced(shard, () => shard.save())
    }
  }

  async #release(shards: readonly number[]): Promise<void> {
    for (const number of shards) {
      const shard = this.#shards.get(number)
      if (shard === undefined) continue
      this.#shards.delete(number)
      await shard.yieldPartitions()
      this.#options.onChange?.({ shard: number, change: 'handed over' })
    }
  }

  /** What was decided now is written down, for all shards at once; a shard that is another's by now is let go. */
  async #journal(epochs: Map<Shard, ShardEpoch>): Promise<void> {
    const fresh = [...epochs].filter(([, { journalled }]) => !journalled)
    const parts = fresh.map(([shard, { poll }]) => {
      return { partition: shard.store.partition, payloads: [epochPayload(poll.epoch)] }
    })
    const outcomes = await appendClaimed(this.#context.log, parts)
    for (const [place, [shard]] of fresh.entries()) {
      const outcome = outcomes[place]
      if (outcome?.kind !== 'fenced') continue
      epochs.delete(shard)
      await this.#letGo(shard)
    }
  }

  async #run(epochs: ReadonlyMap<Shard, ShardEpoch>): Promise<void> {
    const records: OutgoingRecord[] = []
    for (const [shard, { poll }] of epochs) records.push(...(await shard.run(poll)))
    if (records.length > 0) {
      await this.#context.log.append(this.#context.job.samples.topic, records)
    }
    for (const [shard, { poll }] of epochs) {
      const before = shard.records
      shard.applied(poll.epoch)
      this.#records += shard.records - before
    }
  }

  async #saveWhenDue(shard: Shard): Promise<void> {
    const due = shard.unsaved >= this.#context.job.train.checkpoint_every_records
    if (!due || !shard.caughtUp) return
    await this.#unlessFenced(shard, () => shard.save())
    await this.#member.commitOffsets(shard.positions)
  }

  async #unlessFenced(shard: Shard, write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (thrown) {
      if (!(thrown instanceof MillraceError) || thrown.code !== 'FENCED') throw thrown
      await this.#letGo(shard)
    }
  }

  /** Another process owns it: nothing more is written for it, and the group is asked again. */
  async #letGo(shard: Shard): Promise<void> {
    this.#shards.delete(shard.number)
    this.#fenced = true
    await shard.yieldPartitions()
    this.#options.onChange?.({ shard: shard.number, change: 'fenced' })
  }
}

/** Bounds of the event topics, asked for once in a round: over a network each is a round trip, and every shard wants them. */
class SharedBounds implements EventLog {
  readonly #log: TopicLog
  readonly #known = new Map<string, Promise<readonly PartitionBounds[]>>()
  readonly read: EventLog['read']
  readonly waitForRecords: EventLog['waitForRecords']

  constructor(log: TopicLog) {
    this.#log = log
    this.read = (positions, max) => log.read(positions, max)
    this.waitForRecords = (positions, timeoutMs) => log.waitForRecords(positions, timeoutMs)
  }

  forget(): void {
    this.#known.clear()
  }

  bounds(topic: string): Promise<readonly PartitionBounds[]> {
    const known = this.#known.get(topic) ?? this.#log.bounds(topic)
    this.#known.set(topic, known)
    return known
  }
}

/** How many partitions every event topic has. */
function shardsOf(inputs: readonly EventInput[]): number {
  const counts = new Map<string, number>()
  for (const { topic } of inputs) counts.set(topic, (counts.get(topic) ?? 0) + 1)
  const [shards = 0, ...others] = new Set(counts.values())
  if (others.length === 0) return shards
  const shown = Array.from(counts, ([topic, count]) => `${topic}: ${count}`).join(', ')
  throw new MillraceError(
    'BAD_SETTINGS',
    `joiners share events by partition number, but the topics have different counts (${shown})`,
    { remedy: 'give all event topics one number of partitions and one key, or use one process' },
  )
}

async function createTopics(job: Job, log: TopicLog, shards: number): Promise<void> {
  await createSamplesTopic(job, log, shards)
  const samples = (await log.topics()).get(job.samples.topic)
  if (samples !== shards) {
    throw new MillraceError(
      'BAD_SETTINGS',
      `${job.samples.topic} has ${samples} partitions, the event topics have ${shards}`,
      { remedy: 'give samples.topic another name, or the topic as many partitions as the events' },
    )
  }
  await ShardStore.createTopic(log, job.name, shards)
  const writers = 'each-partition'
  for (const topic of sideTopics(roleName(job.name, JOINER))) {
    await log.createTopic({ topic, partitions: shards, cleanup: 'delete', writers })
  }
}

function groupOf({ bus, name }: Job): string {
  return roleName((bus.kind === 'kafka' ? bus.group : undefined) ?? name, JOINER)
}

function joinHash(job: Job): string {
  const { name, events, join } = job
  const content = { name, events, join, opened: openedShare(job) }
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}

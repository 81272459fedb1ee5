/** @file One shard in the hands of its owner: a partition of every event topic, joined into one partition of samples. */

import type { Epoch } from '../src/broker/epoch-journal.ts'
import type { OutgoingRecord, Position, TopicLog } from '../src/broker/topic-log.ts'
import { ByteReader, ByteWriter } from '../src/bytes.ts'
import { MillraceError } from '../src/errors.ts'
import type { EventJoiner } from '../src/join/event-joiner.ts'
import type { JoinOutputs } from '../src/join/join-outputs.ts'
import type { Job } from '../src/settings/job.ts'
import type { Clock } from '../src/time.ts'
import type { AvroCodec } from '../src/wire/avro-codec.ts'
import { decodeReads, takeIn } from './epoch-stages.ts'
import type { EventInput } from './event-inputs.ts'
import { type EventLog, EventSource, type Poll } from './event-source.ts'
import { KeyedOutbox } from './keyed-outbox.ts'
import { eventJoiner, JOINER, roleName } from './learner-role.ts'
import { SampleOutbox } from './sample-outbox.ts'
import { ShardStore } from './shard-store.ts'
import { largestRecord, SideOutputs, sideTopics } from './side-outputs.ts'
import { type FetchedSchemas, WriterSchemas } from './writer-schemas.ts'

/** What all shards of a joiner share. */
export interface ShardContext {
  readonly job: Job
  readonly log: TopicLog
  /** The same log, looked at once for all shards. */
  readonly events: EventLog
  readonly clock: Clock
  /** How this process is called in claims. */
  readonly owner: string
  readonly codec: AvroCodec
  /** Of the settings that decide what is joined; a state of other settings is refused. */
  readonly joinHash: string
  /** The inputs of a shard, kinds in the order of the job; anew for every owner. */
  inputsOf(shard: number): EventInput[]
}

/** An epoch to run. */
export interface ShardEpoch {
  readonly poll: Poll
  /** Whether the journal has it already. */
  readonly journalled: boolean
}

interface ShardPosition {
  readonly joinHash: string
  /** As in a learner of events: waiting events are decoded again on restore. */
  readonly schemas: FetchedSchemas
  readonly positions: readonly number[]
  readonly nextEpoch: number
  readonly samples: number
  readonly records: number
  readonly written: Readonly<Record<string, number>>
}

interface ShardParts {
  readonly context: ShardContext
  readonly inputs: readonly EventInput[]
  readonly schemas: WriterSchemas
  readonly store: ShardStore
  readonly joiner: EventJoiner
  readonly source: EventSource
  readonly samples: SampleOutbox
  readonly sides: SideOutputs
  readonly pending: Epoch[]
  readonly records: number
}

/** As in a learner of events: bounds what waits in memory. */
const ALIGN_MS = 60_000
const MAX_BUFFERED = 200_000

/** Restored from what the owners before left; every epoch is in the journal before it runs. */
export class Shard {
  readonly number: number
  readonly #parts: ShardParts
  #records: number
  #savedRecords: number
  #lastDecisions = ''
  #ended = false

  private constructor(number: number, parts: ShardParts) {
    this.number = number
    this.#parts = parts
    this.#records = parts.records
    this.#savedRecords = parts.records
  }

  /** Becomes the owner of the shard. */
  static async open(context: ShardContext, number: number): Promise<Shard> {
    const { job, log, clock, owner, codec } = context
    const { store, state, epochs } = await ShardStore.open(log, job.name, { shard: number, owner })
    const inputs = context.inputsOf(number)
    const { position, joined } = state === undefined ? startOf(context, inputs) : read(state)
    checkSameJob(position, context, number)
    const schemas = await WriterSchemas.open(job.bus, inputs, position.schemas)
    const joiner = eventJoiner(job, inputs)
    if (joined !== undefined) joiner.restore(joined)
    const source = new EventSource({
      log: context.events,
      inputs,
      clock,
      idleMs: job.events.idleMs,
      maxRecords: job.train.epoch_records,
      alignMs: ALIGN_MS + job.events.latenessMs,
      maxBuffered: MAX_BUFFERED,
    })
    source.seek(position.positions, position.nextEpoch)
    const tasks = job.join.tasks.map((task) => task.name)
    const options = { codec, tasks, shard: number, epoch: store.epoch }
    const at = { topic: job.samples.topic, partition: number }
    return new Shard(number, {
      context,
      inputs,
      schemas,
      store,
      joiner,
      source,
      samples: await SampleOutbox.open(log, at, options, position.samples),
      sides: await openSides(context, { inputs, number, written: position.written }),
      pending: epochs.filter((epoch) => epoch.number >= position.nextEpoch),
      records: position.records,
    })
  }

  get joiner(): EventJoiner {
    return this.#parts.joiner
  }

  get store(): ShardStore {
    return this.#parts.store
  }

  /** Samples joined since the start of the log. */
  get samples(): number {
    return this.#parts.samples.next
  }

  /** Records read since the start of the log. */
  get records(): number {
    return this.#records
  }

  /** Records read since the state was saved. */
  get unsaved(): number {
    return this.#records - this.#savedRecords
  }

  /** Whether every epoch of the journal has run. */
  get caughtUp(): boolean {
    return this.#parts.pending.length === 0
  }

  /** Whether its stream has ended (only where an end was set). */
  get ended(): boolean {
    return this.#ended
  }

  /** Where reading goes on, for waiting and for tools that show lag. */
  get positions(): readonly Position[] {
    const { inputs, source } = this.#parts
    return inputs.map(({ topic, partition }, input) => {
      return { topic, partition, offset: source.positions[input] ?? 0 }
    })
  }

  /** From now on the stream ends where the log ends now. */
  endHere(): Promise<void> {
    return this.#parts.source.endHere()
  }

  lag(): Promise<readonly number[]> {
    return this.#parts.source.lag()
  }

  /** The next epoch: one that an owner decided before, or a poll; undefined when there is nothing new. */
  async next(): Promise<ShardEpoch | undefined> {
    const { source, joiner, schemas, pending } = this.#parts
    const replayed = pending.shift()
    if (replayed !== undefined) {
      const poll = await source.replay(replayed)
      await schemas.prepareAgain(poll)
      return { poll, journalled: true }
    }
    if (this.#ended) return undefined
    const poll = await schemas.prepare(await source.poll(joiner))
    const changes = poll.epoch.reads.length > 0 || decisionsOf(poll.epoch) !== this.#lastDecisions
    return changes ? { poll, journalled: false } : undefined
  }

  /** Runs an epoch that is in the journal; gives the samples to append, after which `applied` may be called. */
  async run({ epoch, batches }: Poll): Promise<OutgoingRecord[]> {
    const { joiner, inputs, samples, sides } = this.#parts
    const outputs: readonly JoinOutputs[] = takeIn(
      joiner,
      inputs,
      epoch,
      decodeReads(inputs, { epoch, batches }),
    )
    for (const part of outputs) await sides.append(part)
    return outputs.flatMap((part) => samples.records(part.samples))
  }

  /** The samples of the epoch are on the topic: positions move on. */
  applied(epoch: Epoch): void {
    for (const read of epoch.reads) this.#records += read.to - read.from
    this.#lastDecisions = decisionsOf(epoch)
    this.#ended = epoch.end
    this.#parts.source.applied(epoch)
  }

  /** Leaves the state where the next owner finds it. */
  async save(): Promise<void> {
    const { context, store, joiner, source, samples, sides, schemas } = this.#parts
    const position: ShardPosition = {
      joinHash: context.joinHash,
      schemas: schemas.fetched,
      positions: source.positions,
      nextEpoch: source.nextEpoch,
      samples: samples.next,
      records: this.#records,
      written: sides.written,
    }
    const joined = joiner.snapshot()
    const writer = new ByteWriter(joined.length + 4096).text('shard 2').json(position).bytes(joined)
    await store.save(writer.finish())
    this.#savedRecords = this.#records
  }

  /** Lets another process append to the shard's partitions, where the log locks them. */
  async yieldPartitions(): Promise<void> {
    const { log, job } = this.#parts.context
    const { topic } = this.#parts.store.partition.at
    for (const one of [topic, job.samples.topic, ...sideTopics(roleName(job.name, JOINER))]) {
      await log.yieldPartition?.({ topic: one, partition: this.number })
    }
  }
}

/** A stored state: where its owner was, and what the join held. */
interface ShardState {
  readonly position: ShardPosition
  readonly joined?: Uint8Array
}

function startOf({ joinHash }: ShardContext, inputs: readonly EventInput[]): ShardState {
  const positions = inputs.map(() => 0)
  const nothing = { nextEpoch: 0, samples: 0, records: 0, written: {}, schemas: {} }
  return { position: { joinHash, positions, ...nothing } }
}

function read(state: Uint8Array): ShardState {
  const reader = new ByteReader(state).expect('shard 2')
  const position = reader.json() as ShardPosition
  const joined = reader.bytes()
  reader.end()
  return { position, joined }
}

function checkSameJob(
  { joinHash, positions }: ShardPosition,
  context: ShardContext,
  shard: number,
): void {
  if (joinHash === context.joinHash && positions.length === context.inputsOf(shard).length) return
  throw new MillraceError(
    'BAD_STATE',
    `the state of shard ${shard} of job ${context.job.name} was made with other events or join settings`,
    { remedy: 'put the settings back, or give the job another name and samples.topic' },
  )
}

function openSides(
  { job, log }: ShardContext,
  shard: {
    readonly inputs: readonly EventInput[]
    readonly number: number
    readonly written: Readonly<Record<string, number>>
  },
): Promise<SideOutputs> {
  const { inputs, number: partition, written } = shard
  return SideOutputs.openIn((topic, upTo) => KeyedOutbox.open(log, { topic, partition }, upTo), {
    job: roleName(job.name, JOINER),
    inputs,
    written,
    partition,
    maxRecordBytes: largestRecord(job),
  })
}

function decisionsOf({ idle, finished, end }: Epoch): string {
  return JSON.stringify([idle, finished, end])
}

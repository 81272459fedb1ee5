/** @file One life of a learner between its epochs: replays the journal first, polls, checkpoints, counts. */

import type { Epoch, EpochJournal } from '../src/broker/epoch-journal.ts'
import { EMBEDDINGS } from '../src/feature-state/user-erasure.ts'
import type { TableSize } from '../src/observe/report.ts'
import { inTurns } from '../src/slices.ts'
import type { CheckpointStore } from '../src/train/checkpoint-store.ts'
import { type EpochContext, publish } from './epoch-stages.ts'
import type { EventSource, Poll } from './event-source.ts'
import type { JobStages } from './job-stages.ts'
import type { LearnerPosition, LearnerState } from './learner-state.ts'
import type { WriterSchemas } from './writer-schemas.ts'

/** What a run is made of. */
export interface LearnerRunParts {
  readonly context: EpochContext
  readonly source: EventSource
  readonly schemas: WriterSchemas
  readonly journal: EpochJournal
  readonly checkpoints: CheckpointStore
  readonly state: LearnerState
  readonly jobHash: string
  /** Consumer group whose committed offsets follow the checkpoints. */
  readonly group: string
  /** Epochs that the journal names beyond the checkpoint. */
  readonly pending: readonly Epoch[]
  /** Records read by the time of the checkpoint. */
  readonly records: number
  readonly checkpointEveryRecords: number
  /** Wall clock between two versions, ms; undefined: only samples decide. */
  readonly publishEveryMs?: number | undefined
}

/** Longest wait for new records, ms: how soon a stop or an idle input is noticed. */
const POLL_TIMEOUT_MS = 200

/** The mutable part of a run. */
export class LearnerRun {
  readonly context: EpochContext
  readonly #parts: LearnerRunParts
  readonly #pending: Epoch[]
  #lastDecisions = ''
  #records: number
  #checkpointed: number
  /** Journalled epochs that the newest checkpoint, which may be under way, does not cover. */
  #uncovered: Epoch[] = []
  #saved: Promise<void> = Promise.resolve()
  /** Positions of a durable checkpoint that the consumer group does not know yet. */
  #safe: readonly number[] | undefined
  #stopping = false
  /** When a version was last due by the wall clock. */
  #publishDecidedMs: number

  constructor(parts: LearnerRunParts) {
    this.context = parts.context
    this.#parts = parts
    this.#pending = [...parts.pending]
    this.#records = parts.records
    this.#checkpointed = parts.records
    this.#publishDecidedMs = parts.context.clock.now()
  }

  /** Records read since the start of the log. */
  get records(): number {
    return this.#records
  }

  get stopping(): boolean {
    return this.#stopping
  }

  /** The epoch under way is the last one of this life. */
  stop(): void {
    this.#stopping = true
  }

  /** The next epoch: one that the journal names, or a poll, which is journalled before it takes effect. */
  async nextPoll(): Promise<Poll | undefined> {
    const { source, schemas, journal, context } = this.#parts
    const replayed = this.#pending.shift()
    if (replayed !== undefined) {
      const poll = await source.replay(replayed)
      await schemas.prepareAgain(poll)
      return poll
    }
    const { epoch: polled, batches } = await schemas.prepare(
      await source.poll(context.stages.intake),
    )
    const epoch = this.#publishIsDue(polled) ? { ...polled, publish: true as const } : polled
    if (!this.#changes(epoch)) {
      await source.wait(POLL_TIMEOUT_MS)
      return undefined
    }
    journal.append(epoch)
    this.#uncovered.push(epoch)
    return { epoch, batches }
  }

  /** The epoch's records went down the path: the last version goes out at the end of the stream; positions move on. */
  async close(epoch: Epoch): Promise<Epoch> {
    const { source, context } = this.#parts
    if (epoch.end) await context.exchange?.finish()
    const due = context.publishes && (epoch.end || epoch.publish === true)
    if (due && context.stages.publisher.stale) await publish(context)
    for (const read of epoch.reads) this.#records += read.to - read.from
    this.#lastDecisions = decisionsOf(epoch)
    source.applied(epoch)
    return epoch
  }

  /** Between epochs: a checkpoint when enough was read, and in any case before the run ends. */
  async afterEpoch(epoch: Epoch | undefined): Promise<Epoch | undefined> {
    const ending = epoch?.end === true || this.#stopping
    const due = this.#records - this.#checkpointed >= this.#parts.checkpointEveryRecords
    if ((due || ending) && this.#pending.length === 0) await this.checkpoint()
    if (ending) await this.saved()
    await this.#commitSafe()
    await this.#reportEpoch()
    return epoch
  }

  /**
   * Takes the state as it is, in slices: nothing is learned meanwhile, the metrics are answered. Making it durable goes on beside the
   * epochs that follow. Until then the checkpoint before it and the journal are what a restart begins with. Waits for the checkpoint
   * before, and throws what that failed with.
   */
  async checkpoint(): Promise<void> {
    await this.saved()
    const { checkpoints, state, journal, context } = this.#parts
    const position = this.position()
    const round = context.exchange?.round
    const parts = await inTurns(state.parts(position, checkpoints.turn))
    const saving = checkpoints.save(parts)
    this.#uncovered = []
    this.#checkpointed = this.#records
    this.#saved = saving.then(() => {
      journal.reset(this.#uncovered)
      this.#safe = position.positions
      if (round !== undefined) context.exchange?.saved(round)
    })
    // Whoever waits for it is told; until then a failure is nobody's.
    this.#saved.catch(() => undefined)
  }

  /** Resolves when the last checkpoint is durable; throws what it failed with. */
  saved(): Promise<void> {
    return this.#saved
  }

  /** Where the run stands on the bus. */
  position(): LearnerPosition {
    const { source, schemas, context, jobHash } = this.#parts
    return {
      positions: source.positions,
      nextEpoch: source.nextEpoch,
      written: context.sideOutputs.written,
      modelTopic: context.modelTopic.position,
      jobHash,
      records: this.#records,
      schemas: schemas.fetched,
    }
  }

  /** Tools that look at the consumer group are told where the last durable checkpoint stands. */
  async #commitSafe(): Promise<void> {
    const { source, group } = this.#parts
    const safe = this.#safe
    if (safe === undefined) return
    this.#safe = undefined
    await source.commitOffsets(group, safe)
  }

  /** sha256 of the whole state. */
  stateHash(): string {
    return this.#parts.state.sha256(this.position())
  }

  /** A decision of the wall clock: it is journalled with the epoch that it is taken with (law 6). */
  #publishIsDue(epoch: Epoch): boolean {
    const { context, publishEveryMs } = this.#parts
    if (publishEveryMs === undefined) return false
    const now = context.clock.now()
    if (now - this.#publishDecidedMs < publishEveryMs) return false
    // Nothing was learned and nothing will be: an epoch of its own would only make the journal longer.
    if (epoch.reads.length === 0 && !context.stages.publisher.stale) return false
    this.#publishDecidedMs = now
    return true
  }

  /** An epoch that reads nothing and decides nothing new would only make the journal longer. */
  #changes(epoch: Epoch): boolean {
    const decided = epoch.publish === true || decisionsOf(epoch) !== this.#lastDecisions
    return epoch.reads.length > 0 || decided
  }

  async #reportEpoch(): Promise<void> {
    const { context, source } = this.#parts
    const { intake, learner } = context.stages
    const lag = await source.lag()
    context.report({
      kind: 'epoch',
      accounting: intake.accounting(),
      samples: learner.samples,
      missing: intake.missing,
      lag: context.inputs.map(({ topic, partition }, input) => ({
        topic,
        partition,
        records: lag[input] ?? 0,
      })),
      watermark: intake.watermark,
    })
    context.report({
      kind: 'tables',
      tables: tableSizes(context.stages),
      erasedUsers: context.stages.userErasure?.users,
    })
  }
}

/** Embeddings and the tables of feature state. */
function tableSizes({ table, featureState, userErasure }: JobStages): TableSize[] {
  const tables = [[EMBEDDINGS, table] as const, ...featureState.tables]
  return tables.map(([name, { bytes, life }]) => ({
    table: name,
    rows: bytes.rows,
    bytes: bytes.totalBytes,
    payloadBytes: bytes.payloadBytes,
    evicted:
      userErasure === undefined
        ? life?.evicted
        : { ...life?.evicted, erased: userErasure.rowsOf(name) },
    refused: life?.refused,
  }))
}

function decisionsOf({ idle, finished, end }: Epoch): string {
  return JSON.stringify([idle, finished, end])
}

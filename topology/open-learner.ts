/** @file Opens a learner: bus, engine, stages, and whatever an earlier life left in the state folder. */

import { mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Epoch, EpochJournal } from '../src/broker/epoch-journal.ts'
import { WriterLock } from '../src/broker/file-log/writer-lock.ts'
import type { TopicLog } from '../src/broker/topic-log.ts'
import { MillraceError } from '../src/errors.ts'
import type { Report } from '../src/observe/report.ts'
import { signerFromPem } from '../src/publish/signature.ts'
import { type Environment, readSecret } from '../src/settings/environment.ts'
import type { Job } from '../src/settings/job.ts'
import type { Engine } from '../src/tensors/engine.ts'
import type { Clock } from '../src/time.ts'
import { CheckpointStore } from '../src/train/checkpoint-store.ts'
import { openChunkCodec } from './chunk-codec.ts'
import { EventSource } from './event-source.ts'
import { corrections } from './job-corrections.ts'
import { jobHash } from './job-hash.ts'
import { buildStages, type JobStages } from './job-stages.ts'
import { type LearnerRole, roleName, WHOLE_JOB } from './learner-role.ts'
import { LearnerRun } from './learner-run.ts'
import { type LearnerPosition, LearnerState, positionOf } from './learner-state.ts'
import { ModelTopic, type ModelTopicOptions } from './model-topic.ts'
import { largestRecord, SideOutputs } from './side-outputs.ts'
import { TrainerExchange } from './trainer-exchange.ts'
import { WriterSchemas } from './writer-schemas.ts'

export interface OpenLearnerOptions {
  readonly job: Job
  readonly log: TopicLog
  readonly engine: Engine
  readonly clock: Clock
  readonly report: (report: Report) => void
  /** Default: the whole job. */
  readonly role?: LearnerRole
}

/** An open learner and where its events come from. */
export interface OpenLearner {
  readonly run: LearnerRun
  readonly source: EventSource
  /** Whether an earlier life was continued. */
  readonly resumed: boolean
  /** After the checkpoint that is under way; gives the state folder free. */
  close(): Promise<void>
}

/** Event time that one input may run ahead of another, ms: bounds what waits in memory for the watermark. */
const ALIGN_MS = 60_000

/** Events that may wait for the watermark before only the inputs that hold it back are read: some 100 MB. */
const MAX_BUFFERED = 200_000

/** The folder of a job's checkpoints and journal. */
export function stateFolder(job: Job): string {
  return job.train.state ?? join('.millrace', job.name, 'state')
}

/** Restores the newest checkpoint, if there is one, and puts the journal's epochs beyond it in line. */
export async function openLearner(
  options: OpenLearnerOptions,
  environment: Environment = process.env,
): Promise<OpenLearner> {
  const { job, log, engine, clock, report, role = WHOLE_JOB } = options
  const inputs = await role.inputs(job, log)
  const stages = buildStages(job, role.intake(job, inputs), engine, role.share)
  const exchange = await openExchange(options, stages)
  const state = new LearnerState(stages, exchange)
  const folder = join(stateFolder(job), role.name)
  mkdirSync(folder, { recursive: true })
  const lock = WriterLock.acquire(folder, `the state of job ${roleName(job.name, role.name)}`)
  const checkpoints = new CheckpointStore(join(folder, 'checkpoints'))
  const checkpoint = checkpoints.load()
  const hash = roleName(jobHash(job), role.name)
  const position = checkpoint === undefined ? undefined : positionOf(checkpoint)
  if (position !== undefined) checkSameJob(position, hash, folder, inputs.length)
  const schemas = await WriterSchemas.open(job.bus, inputs, position?.schemas)
  if (checkpoint !== undefined) state.restore(checkpoint)
  const source = new EventSource({ log, inputs, clock, ...readingOf(job) })
  if (position !== undefined) source.seek(position.positions, position.nextEpoch)
  const { journal, pending } = EpochJournal.open(join(folder, 'journal'))
  const ahead = epochsAhead(pending, source.nextEpoch, folder)
  const modelTopic = await ModelTopic.open(
    modelTopicOptions(options, environment),
    position?.modelTopic,
  )
  const sideOutputs = await SideOutputs.open(log, {
    job: roleName(job.name, role.name),
    inputs,
    written: position?.written ?? {},
    maxRecordBytes: largestRecord(job),
  })
  const run = new LearnerRun({
    context: {
      stages,
      inputs,
      sideOutputs,
      modelTopic,
      corrections: corrections(job),
      exchange,
      publishes: publishes(role),
      clock,
      report,
      examineEverySteps: job.observe.examine_every_steps,
    },
    source,
    schemas,
    journal,
    checkpoints,
    state,
    jobHash: hash,
    group: roleName((job.bus.kind === 'kafka' ? job.bus.group : undefined) ?? job.name, role.name),
    pending: ahead,
    records: position?.records ?? 0,
    checkpointEveryRecords: job.train.checkpoint_every_records,
    publishEveryMs: job.publish.every_ms,
  })
  return {
    run,
    source,
    resumed: position !== undefined,
    close: async () => {
      await Promise.allSettled([run.saved()])
      journal.close()
      lock.release()
    },
  }
}

/** How far a job reads at once, and how far ahead. */
function readingOf({ events, train }: Job) {
  return {
    idleMs: events.idleMs,
    maxRecords: train.epoch_records,
    alignMs: ALIGN_MS + events.latenessMs,
    maxBuffered: MAX_BUFFERED,
  }
}

/** Where several trainers meet; undefined for one. */
async function openExchange(
  { job, log, role = WHOLE_JOB }: OpenLearnerOptions,
  stages: JobStages,
): Promise<TrainerExchange | undefined> {
  const { weights, userErasure, table, featureState } = stages
  if (weights === undefined) return undefined
  return TrainerExchange.open({
    log,
    topic: roleName(job.name, 'exchange'),
    share: role.share,
    everyMs: job.train.exchange_ms,
    owner: `${role.name} in process ${process.pid} on ${hostname()}`,
    weights,
    onMet: (erased) => {
      for (const user of erased) userErasure?.eraseAgain(user)
      if (publishes(role)) return
      // Nothing else would ever empty what awaits publication.
      table.takeDirty('publication')
      featureState.published()
    },
  })
}

/** Of several trainers the first one: all have the same weights when they have met. */
function publishes({ share }: LearnerRole): boolean {
  return share.index === 1
}

/** BAD_SETTINGS when the job names a signing key and there is none. */
function modelTopicOptions(
  { job, log, clock }: OpenLearnerOptions,
  environment: Environment,
): ModelTopicOptions {
  const { topic, chunk_bytes, compression, model_id = job.name, signing_key } = job.publish
  const key = signing_key === undefined ? undefined : readSecret(signing_key, environment)
  return {
    log,
    topic,
    modelId: model_id,
    codec: openChunkCodec(),
    chunkBytes: chunk_bytes,
    compression,
    clock,
    signer: key === undefined ? undefined : signerFromPem(key.reveal()),
  }
}

/** The journal's epochs from `next` on; CORRUPT when it goes on later: what lies between would be skipped in silence. */
function epochsAhead(epochs: readonly Epoch[], next: number, folder: string): Epoch[] {
  const ahead = epochs.filter((epoch) => epoch.number >= next)
  const first = ahead[0]?.number ?? next
  if (first === next) return ahead
  throw new MillraceError(
    'CORRUPT',
    `${folder}: the checkpoint goes up to epoch ${next}, the journal starts at ${first}`,
    { remedy: 'restore the folder from a copy, or move it away to learn again from the log' },
  )
}

function checkSameJob(
  position: LearnerPosition,
  hash: string,
  folder: string,
  inputs: number,
): void {
  const fault =
    position.jobHash !== hash
      ? 'was made with other settings'
      : position.positions.length !== inputs
        ? `was made with ${position.positions.length} event partitions, the bus has ${inputs}`
        : undefined
  if (fault === undefined) return
  throw new MillraceError('BAD_STATE', `the state in ${folder} ${fault}`, {
    remedy: 'put the settings back, or give train.state another folder to learn again from the log',
  })
}

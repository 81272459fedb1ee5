/**
 * @file What happens in one epoch, step by step, as plain functions over the stages; `learner.ts` wires them in order. Each
 * takes what the step before it gave.
 */

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Epoch } from '../src/broker/epoch-journal.ts'
import { RecordSlice } from '../src/broker/record-slice.ts'
import type { LogRecord } from '../src/broker/topic-log.ts'
import type { Decoded } from '../src/events/event.ts'
import type { Report } from '../src/observe/report.ts'
import { featureStateSections } from '../src/publish/feature-state-section.ts'
import type { Corrections } from '../src/publish/update.ts'
import type { Intake, IntakeOutputs } from '../src/samples/intake.ts'
import type { MiniBatch } from '../src/samples/mini-batcher.ts'
import type { Sample } from '../src/samples/sample.ts'
import type { Slices } from '../src/slices.ts'
import type { Clock } from '../src/time.ts'
import type { EventInput } from './event-inputs.ts'
import type { Poll } from './event-source.ts'
import type { JobStages } from './job-stages.ts'
import { learn } from './learn-batch.ts'
import type { ModelTopic } from './model-topic.ts'
import { gateEvidence, publicationMetrics } from './publication-metrics.ts'
import type { SideOutputs } from './side-outputs.ts'
import type { TrainerExchange } from './trainer-exchange.ts'

/** What the steps of an epoch work with. */
export interface EpochContext {
  readonly stages: JobStages
  readonly inputs: readonly EventInput[]
  readonly sideOutputs: SideOutputs
  readonly modelTopic: ModelTopic
  /** What a published model says about its labels. */
  readonly corrections: Corrections
  /** Where several trainers meet; undefined for one. */
  readonly exchange: TrainerExchange | undefined
  /** Of several trainers the first one publishes: all have the same weights when they have met. */
  readonly publishes: boolean
  readonly clock: Clock
  readonly report: (report: Report) => void
  /** Steps between two looks inside the model, 0 for none. */
  readonly examineEverySteps: number
}

/** Records -> events or malformed records, in the order of the poll. */
export function decodeReads(inputs: readonly EventInput[], poll: Poll): Decoded[] {
  const decoded: Decoded[] = []
  for (const { topic, partition, records } of poll.batches) {
    const index = inputs.findIndex((one) => one.topic === topic && one.partition === partition)
    const input = inputs[index]
    if (input === undefined) continue
    for (const record of records) decoded.push(decodeRecord(input, index, record))
  }
  return decoded
}

/** One record of the input with this index. */
function decodeRecord(input: EventInput, index: number, record: LogRecord): Decoded {
  const { offset } = record
  const skimmed =
    record instanceof RecordSlice
      ? input.skim?.(record.bytes, record.valueAt, record.end, index, offset)
      : undefined
  return skimmed ?? input.decode(record.value, { input: index, offset })
}

/** Records -> what the intake gives for them, then for the idle and finished inputs that the epoch names. */
export function takeIn<Outputs extends IntakeOutputs>(
  intake: Intake<Outputs>,
  inputs: readonly EventInput[],
  epoch: Epoch,
  records: readonly Decoded[],
): Outputs[] {
  return [intake.push(records), ...decided(intake, inputs, epoch)]
}

/** Records that are taken in as one slice. A few may let many go that waited for them. */
const SLICE_RECORDS = 64

/** A poll's records decoded and taken in slice by slice; what comes out does not depend on the slices (law 7). */
export function* takingIn<Outputs extends IntakeOutputs>(
  intake: Intake<Outputs>,
  inputs: readonly EventInput[],
  { epoch, batches }: Poll,
): Slices<Outputs[]> {
  const outputs: Outputs[] = []
  for (const batch of batches) {
    for (let from = 0; from < batch.records.length; from += SLICE_RECORDS) {
      const records = batch.records.slice(from, from + SLICE_RECORDS)
      outputs.push(intake.push(decodeReads(inputs, { epoch, batches: [{ ...batch, records }] })))
      yield
    }
  }
  return [...outputs, ...decided(intake, inputs, epoch)]
}

/** What the intake gives for the idle and finished inputs that the epoch names. */
function decided<Outputs extends IntakeOutputs>(
  intake: Intake<Outputs>,
  inputs: readonly EventInput[],
  epoch: Epoch,
): Outputs[] {
  const outputs: Outputs[] = []
  const idle = new Set(epoch.idle)
  const finished = new Set(epoch.finished)
  for (const input of inputs.keys()) {
    outputs.push(
      finished.has(input) ? intake.finish(input) : intake.setIdle(input, idle.has(input)),
    )
  }
  return outputs
}

/** What did not become a sample goes to its own topic. */
export async function sideline(
  context: EpochContext,
  outputs: readonly IntakeOutputs[],
): Promise<readonly IntakeOutputs[]> {
  await context.sideOutputs.append({
    deadLetters: outputs.flatMap(({ deadLetters }) => deadLetters),
    late: outputs.flatMap(({ late }) => late),
    orphans: outputs.flatMap(({ orphans }) => orphans),
  })
  return outputs
}

/** Samples -> those of the arm that are worth a look, or, without impressions, with the negatives that are drawn for them. */
export function selected(
  { arms, sampling, drawnNegatives }: JobStages,
  samples: readonly Sample[],
): readonly Sample[] {
  const own = arms?.traffic.pick(samples) ?? samples
  return drawnNegatives === undefined ? sampling.thin(own) : drawnNegatives.draw(own)
}

/** Samples -> full mini-batches, and the half-filled one at the end of the stream. */
export function toBatches(
  context: EpochContext,
  poll: Poll,
  outputs: readonly IntakeOutputs[],
): MiniBatch[] {
  const { batcher, intake } = context.stages
  const batches = outputs.flatMap(({ samples }) => batcher.push(selected(context.stages, samples)))
  batches.push(...batcher.advance(intake.watermark))
  return poll.epoch.end ? [...batches, ...batcher.flush()] : batches
}

/**
 * A version holds exactly what was learned when it fell due: learning goes on when it is appended, however slow the bus is
 * (law 3). As two steps of the pipeline they would overlap.
 */
export async function learnAndPublish(context: EpochContext, batch: MiniBatch): Promise<void> {
  await context.exchange?.before(batch)
  await learn(context, batch)
  for (const { role, key } of batch) if (role === 'erasure') context.exchange?.erase(key)
  await publishWhenDue(context)
}

/** Publishes when a version is due. */
async function publishWhenDue(context: EpochContext): Promise<void> {
  if (context.publishes && context.stages.publisher.due) await publish(context)
}

/** Publishes the model as it stands, or holds it back when the gate finds it sick (law 8). */
export async function publish(context: EpochContext): Promise<void> {
  const { publisher, gate, progressive, encoder, featureState, intake } = context.stages
  const draft = publisher.draft({
    metrics: publicationMetrics(progressive),
    standardisation: encoder.statistics(),
    corrections: context.corrections,
    sections: featureStateSections(featureState, publisher.nextKind),
  })
  // Drafting and hashing take as long as the version is large: two turns instead of one.
  await nextTurn()
  const verdict = gate.judge(draft, gateEvidence(context.stages))
  context.report({ kind: 'verdict', ...verdict })
  if (verdict.outcome === 'held') {
    publisher.hold()
    return
  }
  const version = publisher.commit(draft)
  featureState.published()
  await context.modelTopic.publish(version)
  context.report({
    kind: 'published',
    update: version.kind,
    sequence: version.sequence,
    sha256: version.sha256,
    bytes: version.content.length,
    freshnessSeconds: Math.max(0, intake.newestTime - publisher.watermarkMs) / 1000,
  })
}

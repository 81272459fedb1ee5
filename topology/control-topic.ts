/** @file The control topic beside a model topic: the newest decision of each model, read by consumers, written by operators. */

import type { TopicLog } from '../src/broker/topic-log.ts'
import { MillraceError } from '../src/errors.ts'
import {
  ControlCodec,
  controlMessage,
  controlTopicOf,
  type ModelControl,
  noControl,
} from '../src/publish/control.ts'
import type { Signer, TrustedKeys } from '../src/publish/signature.ts'
import { loadSchema } from '../src/wire/avro-schema.ts'
import { earliestOffset } from './earliest-offset.ts'
import { packageFile } from './package-files.ts'

const READ_RECORDS = 100

/** The newest decision about a model that a trusted key signed; the one without effect when there is none. */
export async function readControl(
  log: TopicLog,
  topic: string,
  modelId: string,
  trusted: TrustedKeys | undefined,
): Promise<ModelControl> {
  const control = controlTopicOf(topic)
  let newest = noControl(modelId)
  if (!(await log.topics()).has(control)) return newest
  const codec = openControlCodec()
  const at = { topic: control, partition: 0 }
  for (let offset = await earliestOffset(log, at); ; ) {
    const [batch] = await log.read([{ ...at, offset }], READ_RECORDS)
    if (batch === undefined) return newest
    for (const { value } of batch.records) {
      const decision = codec.decode(value, trusted)
      if (decision?.model_id === modelId && decision.revision > newest.revision) newest = decision
    }
    offset = batch.nextOffset
  }
}

/** Appends a decision that follows `before`; signed when there is a signer. */
export async function writeControl(
  log: TopicLog,
  topic: string,
  decision: Omit<ModelControl, 'signature'>,
  signer: Signer | undefined,
): Promise<void> {
  const signature = signer?.sign(controlMessage(decision)) ?? new Uint8Array(0)
  const control = controlTopicOf(topic)
  await log.createTopic({ topic: control, partitions: 1, cleanup: 'compact' })
  const value = openControlCodec().encode({ ...decision, signature })
  const key = new TextEncoder().encode(decision.model_id)
  await log.append(control, [{ key, value, timestampMs: decision.decided_at_ms, partition: 0 }])
}

function openControlCodec(): ControlCodec {
  return new ControlCodec(loadSchema(packageFile('schemas/model-control.avsc')))
}

/** BAD_INPUT unless the topic has a version of that number; the one of the newest trainer epoch where there are several. */
export function versionNumbered<V extends { readonly sequence: number }>(
  versions: readonly V[],
  sequence: number,
): V {
  const found = versions.findLast((version) => version.sequence === sequence)
  if (found !== undefined) return found
  const [first, last] = [versions.at(0)?.sequence, versions.at(-1)?.sequence]
  throw new MillraceError('BAD_INPUT', `the topic has no version ${sequence}`, {
    remedy: first === undefined ? 'let the learner publish first' : `it has ${first} to ${last}`,
  })
}

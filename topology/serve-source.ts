/** @file Where a scorer finds its model: a folder of the file log, or the bus of a job. */

import { readFileSync } from 'node:fs'
import { openFileLog } from '../src/broker/file-log/file-log.ts'
import type { TopicLog } from '../src/broker/topic-log.ts'
import { MillraceError, messageOf } from '../src/errors.ts'
import { TrustedKeys } from '../src/publish/signature.ts'
import { type Environment, expandText } from '../src/settings/environment.ts'
import { loadJob } from '../src/settings/job.ts'
import { openBus } from './bus.ts'

/** What a user may say about it: one of `from` and `job`. */
export interface SourceOptions {
  /** Folder of the file log. */
  readonly from?: string
  /** Job file whose bus and model topic are followed. */
  readonly job?: string
  /** Absent: the job's, or `model`. */
  readonly topic?: string
  /** Absent: the job's, or the first one on the topic. */
  readonly model?: string
  /** File with public keys in PEM: only updates that one of them signed are taken. */
  readonly publicKey?: string
}

/** A model topic that is open for reading. */
export interface ModelSource {
  readonly log: TopicLog
  readonly topic: string
  readonly modelId: string | undefined
  readonly trusted: TrustedKeys | undefined
}

/** The keys in a file; undefined without one. */
export function trustedKeys(file: string | undefined): TrustedKeys | undefined {
  if (file === undefined) return undefined
  try {
    return new TrustedKeys(readFileSync(file, 'utf8'))
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause
    throw new MillraceError('BAD_SETTINGS', `cannot read the public key: ${messageOf(cause)}`, {
      remedy: 'give a file with a public key in PEM',
      cause,
    })
  }
}

/** Opens the log; a file log for reading only, so that a scorer may run where it cannot write. */
export async function openModelSource(
  { from, job: file, topic, model, publicKey }: SourceOptions,
  environment: Environment,
): Promise<ModelSource> {
  if ((from === undefined) === (file === undefined)) {
    throw new MillraceError('USAGE', 'give one of --from and --job', {
      remedy: '--from takes the folder of a file log, --job a job file that names any bus',
    })
  }
  const trusted = trustedKeys(publicKey)
  if (from !== undefined) {
    const log = await openFileLog({ path: from, access: 'read-only' })
    return { log, topic: topic ?? 'model', modelId: model, trusted }
  }
  const job = await loadJob(file ?? '')
  const log =
    job.bus.kind === 'file'
      ? await openFileLog({ path: expandText(job.bus.path, environment), access: 'read-only' })
      : await openBus(job.bus, environment)
  return {
    log,
    topic: topic ?? job.publish.topic,
    modelId: model ?? job.publish.model_id ?? job.name,
    trusted,
  }
}

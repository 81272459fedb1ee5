/** @file Where a scorer finds its model: a folder of the file log, or the bus of a job. */

import { openFileLog } from '../src/broker/file-log/file-log.ts'
import type { TopicLog } from '../src/broker/topic-log.ts'
import { MillraceError } from '../src/errors.ts'
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
}

/** A model topic that is open for reading. */
export interface ModelSource {
  readonly log: TopicLog
  readonly topic: string
  readonly modelId: string | undefined
}

/** Opens the log; a file log for reading only, so that a scorer may run where it cannot write. */
export async function openModelSource(
  { from, job: file, topic, model }: SourceOptions,
  environment: Environment,
): Promise<ModelSource> {
  if ((from === undefined) === (file === undefined)) {
    throw new MillraceError('USAGE', 'give one of --from and --job', {
      remedy: '--from takes the folder of a file log, --job a job file that names any bus',
    })
  }
  if (from !== undefined) {
    const log = await openFileLog({ path: from, access: 'read-only' })
    return { log, topic: topic ?? 'model', modelId: model }
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
  }
}

/** @file Learns once from everything that is on a log, from its start to its end as it is now, in memory: no checkpoint, no model topic. */

import type { TopicLog } from '../src/broker/topic-log.ts'
import type { EventJoiner } from '../src/join/event-joiner.ts'
import type { Report } from '../src/observe/report.ts'
import type { MiniBatch } from '../src/samples/mini-batcher.ts'
import type { Job } from '../src/settings/job.ts'
import type { Engine } from '../src/tensors/engine.ts'
import type { Clock } from '../src/time.ts'
import { selected } from './epoch-stages.ts'
import { buildStages, type JobStages } from './job-stages.ts'
import { joinWhole } from './join-whole.ts'
import { learn } from './learn-batch.ts'
import { eventJoiner } from './learner-role.ts'

export interface LearnLogOptions {
  readonly job: Job
  readonly log: TopicLog
  readonly engine: Engine
  readonly clock: Clock
  /** Told what happens, as a running learner reports it. */
  readonly report?: (report: Report) => void
  /** Called with every batch before it is scored and learned from. */
  readonly before?: (batch: MiniBatch, stages: JobStages) => void
}

/** The stages as they are in the end: weights, figures, accounting. The same samples in the same batches as `millrace run`. */
export async function learnLog(options: LearnLogOptions): Promise<JobStages> {
  const { job, log, engine, clock, before, report = () => undefined } = options
  let built: JobStages | undefined
  const { outputs } = await joinWhole(job, log, clock, (inputs): EventJoiner => {
    const joiner = eventJoiner(job, inputs)
    built = buildStages(job, joiner, engine)
    return joiner
  })
  const stages = built as JobStages | undefined
  if (stages === undefined) throw new TypeError('joinWhole made no joiner')
  const never = 0
  const context = { stages, clock, report, examineEverySteps: never }
  const take = async (batches: readonly MiniBatch[]): Promise<void> => {
    for (const batch of batches) {
      before?.(batch, stages)
      await learn(context, batch)
    }
  }
  const { batcher } = stages
  for await (const { samples } of outputs) {
    await take(batcher.push(selected(stages, samples)))
  }
  await take(batcher.flush())
  return stages
}

/** @file A job that joiners and a trainer have run: its last model, and the rows that stand on its samples topic. */

import { lastValueFrom } from 'rxjs'
import type { TopicLog } from '../../src/broker/topic-log.ts'
import type { FeatureRow } from '../../src/features/slot-encoders.ts'
import type { Job } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { joinerRounds } from '../../topology/joiner.ts'
import { JoinerRun } from '../../topology/joiner-run.ts'
import { trainerRole } from '../../topology/learner-role.ts'
import { sampleCodec } from '../../topology/sample-inputs.ts'
import { learnWhole } from './learn-whole.ts'
import { frozenClock, produceWorld } from './temporary-job.ts'
import { recordsOf } from './whole-samples.ts'

/** One joiner takes everything that is there. */
export async function joinAll(job: Job, log: TopicLog): Promise<void> {
  const run = await JoinerRun.open({ job, log, clock: frozenClock, untilEnd: true })
  await lastValueFrom(joinerRounds(run))
  await run.close()
}

/** The rows of the samples topic, as anybody reads them: what was shown, and when. */
async function loggedRows(job: Job, log: TopicLog): Promise<FeatureRow[]> {
  const codec = sampleCodec(job)
  const rows: FeatureRow[] = []
  for (let partition = 0; partition < job.bus.partitions; partition++) {
    for (const { value } of await recordsOf(log, job.samples.topic, partition)) {
      const decoded = codec.decode(value)
      if (decoded.kind === 'malformed') throw new Error(decoded.reason)
      const { role, fields, event_time } = decoded.value
      if (role !== 'final') continue
      rows.push({ fields: fields as FeatureRow['fields'], time: Number(event_time) })
    }
  }
  return rows
}

/** The simulated app through a joiner and a trainer; `count` rows of its log, evenly, and the trainer's scores of them. */
export async function learnedLog(job: Job, log: TopicLog, count: number) {
  await produceWorld(job, log, 1_500)
  await joinAll(job, log)
  const engine = plainEngine('float32')
  const { stages, reports } = await learnWhole({ job, log, engine, role: trainerRole() })
  const all = await loggedRows(job, log)
  const rows = all.filter((_, i) => i % Math.floor(all.length / count) === 0).slice(0, count)
  const expected = [...stages.learner.score(stages.encoder.encode(rows))]
  const version = reports.findLast((report) => report.kind === 'published')
  if (version === undefined) throw new Error('nothing was published')
  return { version, rows, expected }
}

/** @file The small job of the topology's tests, on Kafka. */

import { type Job, parseJob } from '../../src/settings/job.ts'
import { jobText } from '../topology/temporary-job.ts'

/** Topics that the producer writes; everything else belongs to the learner. */
export const EVENT_TOPICS = ['impressions', 'clicks', 'likes']

/** The job file; `extra` are further settings of the bus. */
export function kafkaJobText(folder: string, brokers: readonly string[], extra = ''): string {
  const list = JSON.stringify(brokers)
  return jobText(folder).replace(
    /^bus: .*$/m,
    `bus: { kind: kafka, brokers: ${list}, partitions: 2${extra} }`,
  )
}

export function kafkaJob(folder: string, brokers: readonly string[]): Job {
  return parseJob(`${folder}/job.yaml`, kafkaJobText(folder, brokers))
}

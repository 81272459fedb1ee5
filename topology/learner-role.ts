/** @file What a learner is in a job: the whole of it, from the events on, or a trainer of what joiners have written. */

import type { TopicLog } from '../src/broker/topic-log.ts'
import { MillraceError } from '../src/errors.ts'
import { EventJoiner } from '../src/join/event-joiner.ts'
import type { Intake } from '../src/samples/intake.ts'
import { SampleIntake } from '../src/samples/sample-intake.ts'
import { erasureOf, type Job, openedShare, startsAtImpressions } from '../src/settings/job.ts'
import { type EventInput, eventInputs } from './event-inputs.ts'
import { ALONE, type Share, sampleInputs } from './sample-inputs.ts'

/** Where samples come from, and what the role's own folder, topics and group are called. */
export interface LearnerRole {
  /** Empty for the whole job. */
  readonly name: string
  /** Of several trainers, which; 1 of 1 else. */
  readonly share: Share
  inputs(job: Job, log: TopicLog): Promise<EventInput[]>
  intake(job: Job, inputs: readonly EventInput[]): Intake
}

/** One process for everything: events are joined here. */
export const WHOLE_JOB: LearnerRole = {
  name: '',
  share: ALONE,
  inputs: eventInputs,
  intake: eventJoiner,
}

/** The join of a job over some inputs. */
export function eventJoiner(job: Job, inputs: readonly EventInput[]): EventJoiner {
  return new EventJoiner({
    inputs,
    latenessMs: job.events.latenessMs,
    dedupe: job.events.dedupe,
    join: {
      ...job.join,
      openedShare: openedShare(job),
      firstActionOpens: !startsAtImpressions(job),
      erasure: erasureOf(job),
    },
  })
}

/** A trainer: reads the samples topic, or its share of the partitions. */
export function trainerRole(share: Share = ALONE): LearnerRole {
  return {
    name: share.of === 1 ? 'trainer' : `trainer-${share.index}-of-${share.of}`,
    share,
    inputs: async (job, log) => {
      const inputs = await sampleInputs(job, log, share)
      if (inputs.length > 0) return inputs
      throw new MillraceError(
        'BAD_SETTINGS',
        `trainer ${share.index} of ${share.of} has no partition of ${job.samples.topic}`,
        { remedy: 'start fewer trainers, or give the topic more partitions' },
      )
    },
    intake: (job, inputs) =>
      new SampleIntake({
        inputs,
        tasks: job.join.tasks.map((task) => task.name),
        dedupe: job.events.dedupe,
        gaps: job.samples.gaps,
      }),
  }
}

/** The role of a process that joins and does not learn. */
export const JOINER = 'joiner'

/** `name` for the whole job, `name.role` for a role: topics and groups. */
export function roleName(name: string, role: string): string {
  return role === '' ? name : `${name}.${role}`
}

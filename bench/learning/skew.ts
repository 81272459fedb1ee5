/** @file What does one wrong clock among the producers do, and what does allowed lateness buy? */

import { total } from '../../src/observe/accounting.ts'
import type { JobStages } from '../../topology/job-stages.ts'
import type { Experiment, Row } from './experiment.ts'
import {
  aucOf,
  calibrationToTruth,
  judgedOf,
  laterThan,
  learnWorld,
  worldJob,
  worldLog,
} from './world-run.ts'

const SHARE = 0.05
const MINUTE = 60_000
const SKEWS = [
  { name: 'right', share: 0, ms: 0 },
  { name: 'a minute ahead', share: SHARE, ms: MINUTE },
  { name: 'a minute behind', share: SHARE, ms: -MINUTE },
] as const

/** The `events` section of the usual job with another allowed lateness. */
export function eventsWithin(latenessMs: number): string {
  const { kinds } = worldJob().events
  const lines = kinds.map(
    ({ kind, topic, schema, anchor }) =>
      `    - { kind: ${kind}, topic: ${topic}, schema: ${schema}, time: event_time, anchor: ${anchor} }`,
  )
  return `\n  lateness_ms: ${latenessMs}\n  kinds:\n${lines.join('\n')}`
}

export const skew: Experiment = {
  name: 'skew',
  question: 'What does one wrong clock among twenty producers do?',
  columns: [
    { name: 'clock of one in twenty' },
    { name: 'lateness allowed, s' },
    { name: 'events late', digits: 3 },
    { name: 'impressions learned from' },
    { name: 'click: predicted over true', digits: 3 },
    { name: 'AUC', digits: 4 },
  ],
  run: async ({ engine, impressions }) => {
    const rows: Row[] = []
    for (const { name, share, ms } of SKEWS) {
      for (const latenessMs of [5_000, 90_000]) {
        const job = worldJob({ events: eventsWithin(latenessMs) })
        const { log, options } = await worldLog(job, { impressions, skew: { share, ms } })
        const { stages, judged } = await learnWorld({ job, log, options, engine })
        const click = judgedOf({ judged }, 'click')
        const settled = laterThan(click, 1 / 3)
        rows.push({
          'clock of one in twenty': name,
          'lateness allowed, s': String(latenessMs / 1000),
          'events late': lateShare(stages),
          'impressions learned from': stages.learner.samples.toLocaleString('en-US'),
          'click: predicted over true': calibrationToTruth(settled),
          AUC: aucOf(settled),
        })
      }
    }
    return rows
  },
}

/** Of all events that came. */
export function lateShare({ intake }: JobStages): number {
  const kinds = intake.accounting()
  const late = kinds.reduce((sum, one) => sum + total(one.late), 0)
  return late / kinds.reduce((sum, one) => sum + one.in, 0)
}

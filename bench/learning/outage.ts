/** @file What does a dead click pipeline of ten minutes do to the model, with and without the guard? */

import type { Delivery } from '../../src/delivery.ts'
import type { Experiment, Row } from './experiment.ts'
import {
  between,
  calibrationToTruth,
  excessLoss,
  joinWith,
  judgedOf,
  learnWorld,
  worldJob,
  worldLog,
} from './world-run.ts'

const MINUTE = 60_000
const LASTS_MS = 10 * MINUTE

/** Drops the clicks that happened in the outage: a pipeline that lost them, and did not come back with them. */
function withoutClicks(from: number): (delivery: Delivery) => Delivery | undefined {
  return (delivery) => {
    const time = Number(delivery.value.event_time)
    return delivery.kind === 'click' && time >= from && time < from + LASTS_MS
      ? undefined
      : delivery
  }
}

export const outage: Experiment = {
  name: 'outage',
  question: 'What do ten minutes without clicks do to the predictions of clicks?',
  columns: [
    { name: 'emission' },
    { name: 'guard' },
    { name: 'minutes from the start of the outage' },
    { name: 'predicted over true', digits: 3 },
    { name: 'log loss above the best', digits: 4 },
    { name: 'outages noticed' },
  ],
  run: async ({ engine, impressions }) => {
    const job = worldJob()
    const perSecond = 10
    const length = (impressions / perSecond) * 1000
    const { start_ms: start } = (await worldLog(job, { impressions: 1 })).options
    const from = start + Math.floor((length * 0.6) / MINUTE) * MINUTE
    const { log, options } = await worldLog(job, { impressions }, withoutClicks(from))
    const rows: Row[] = []
    for (const emission of ['wait', 'fast']) {
      for (const guard of ['off', 'on']) {
        const enabled = guard === 'on'
        const join = joinWith(`emission: ${emission}, guard: { enabled: ${enabled} }`)
        const { stages, judged } = await learnWorld(
          { job: worldJob({ join }), log, options, engine },
          'opening',
        )
        const click = judgedOf({ judged }, 'click')
        const noticed = stages.intake.labelHealth.find(({ task }) => task === 'click')?.anomalies
        for (const [begin, end] of [
          [-10, 0],
          [10, 15],
          [20, 30],
        ] as const) {
          const part = between(
            click,
            (time) => time >= from + begin * MINUTE && time < from + end * MINUTE,
          )
          rows.push({
            emission,
            guard,
            'minutes from the start of the outage': `${begin} to ${end}`,
            'predicted over true': calibrationToTruth(part),
            'log loss above the best': excessLoss(part),
            'outages noticed': noticed,
          })
        }
      }
    }
    return rows
  },
}

/** @file What does it cost to learn from a share of the negatives only? Judged on all impressions, as they opened (streaming e.3). */

import type { Experiment, Row } from './experiment.ts'
import {
  aucOf,
  calibrationToLabels,
  joinWith,
  laterThan,
  learnWorld,
  worldJob,
  worldLog,
} from './world-run.ts'

const RATES = [1, 0.3, 0.1, 0.03, 0.01]

export const negatives: Experiment = {
  name: 'negatives',
  question: 'What does it cost to learn from a share of the negatives only?',
  columns: [
    { name: 'keep rate' },
    { name: 'emission' },
    { name: 'rows learned from' },
    { name: 'task' },
    { name: 'calibration', digits: 3 },
    { name: 'AUC', digits: 4 },
  ],
  run: async ({ engine, impressions }) => {
    const { log, options } = await worldLog(worldJob(), { impressions })
    const rows: Row[] = []
    for (const emission of ['wait', 'fast']) {
      for (const rate of RATES) {
        const job = worldJob({
          join: joinWith(`emission: ${emission}`),
          negatives: `{ keep: ${rate} }`,
        })
        const { stages, judged } = await learnWorld({ job, log, options, engine })
        for (const all of judged) {
          const late = laterThan(all, 1 / 3)
          rows.push({
            'keep rate': String(rate),
            emission,
            'rows learned from': stages.learner.samples.toLocaleString('en-US'),
            task: late.task,
            calibration: calibrationToLabels(late),
            AUC: aucOf(late),
          })
        }
      }
    }
    return rows
  },
}

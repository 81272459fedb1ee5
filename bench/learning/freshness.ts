/** @file What is it worth that fresh weights reach the scorers soon? One learner, scorers at several distances behind it. */

import { END_OF_TIME, START_OF_TIME } from '../../src/time.ts'
import { replay } from '../../topology/replay.ts'
import { differences, syncMs } from '../../topology/replay-command.ts'
import type { Experiment, Row } from './experiment.ts'
import { stillClock, worldJob, worldLog } from './world-run.ts'

const SYNCS = ['0s', '60s', '10m', '1h', 'frozen']
/** Event time passes five times as fast as in the other worlds: tastes must have time to move. */
const PER_SECOND = 2

export const freshness: Experiment = {
  name: 'freshness',
  question: 'What is it worth that fresh weights reach the scorers soon?',
  columns: [
    { name: 'weights reach the scorers every' },
    { name: 'task' },
    { name: 'AUC difference', digits: 4 },
    { name: '95 % interval' },
    { name: 'log loss difference', digits: 5 },
  ],
  run: async ({ engine, impressions }) => {
    const job = worldJob()
    const { log } = await worldLog(job, { impressions, impressions_per_second: PER_SECOND })
    const arms = SYNCS.map((name) => ({ name, job, syncMs: syncMs(name) }))
    const replayed = await replay({
      ...{ stream: job, arms, log, engine, clock: stillClock },
      from: START_OF_TIME,
      to: END_OF_TIME,
    })
    return differences(replayed).map(({ arm, task, auc, aucInterval, logloss }): Row => {
      const bound = (value: number | undefined): string => value?.toFixed(4) ?? '-'
      return {
        'weights reach the scorers every': arm,
        task,
        'AUC difference': auc,
        '95 % interval': `${bound(aucInterval?.low)} to ${bound(aucInterval?.high)}`,
        'log loss difference': logloss,
      }
    })
  },
}

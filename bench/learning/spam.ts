/** @file What does a bot that takes every action on one item do to what real users are shown, with and without guard and caps? */

import type { Experiment, Row } from './experiment.ts'
import {
  between,
  calibrationToTruth,
  excessLoss,
  joinWith,
  judgedOf,
  learnWorld,
  type Sections,
  worldJob,
  worldLog,
} from './world-run.ts'

const MINUTE = 60_000
const LASTS = 10

/** The usual features, and rates of what is shown; a cap bounds what one user adds to them. */
export function spamFeatures(capped: boolean): Sections {
  const cap = capped ? ', cap: { by: user, most: 10 }' : ''
  const rate = (of: string): string =>
    `  - { name: ${of}_rate, kind: rate, of: [${of}], tasks: [click, like, share], half_life_hours: [4]${cap} }`
  return {
    features: `
  - { name: user, kind: id, from: user_id }
  - { name: category, kind: id }
  - { name: author, kind: id, from: author_id }
  - { name: age_band, kind: id }
  - { name: position, kind: id }
  - { name: age_category, kind: cross, of: [age_band, category] }
${rate('author')}
${rate('category')}`,
  }
}

const GUARDS = [
  { name: 'none', guarded: false, capped: false },
  { name: 'caps on rates', guarded: false, capped: true },
  { name: 'surge guard', guarded: true, capped: false },
  { name: 'both', guarded: true, capped: true },
] as const

export const spam: Experiment = {
  name: 'spam',
  question: 'What do ten minutes of a bot on one item do to the predictions for real users?',
  columns: [
    { name: 'guard' },
    { name: 'impressions' },
    { name: 'minutes from the start of the burst' },
    { name: 'share: predicted over true', digits: 3 },
    { name: 'log loss above the best', digits: 4 },
  ],
  run: async ({ engine, impressions }) => {
    const atHours = Math.floor(impressions * 0.6) / 10 / 3600
    const world = { impressions, spam: { minutes: LASTS, at_hours: atHours } }
    const rows: Row[] = []
    for (const { name, guarded, capped } of GUARDS) {
      const join = joinWith(`guard: { enabled: ${guarded} }`)
      const job = worldJob({ ...spamFeatures(capped), join })
      const { log, options } = await worldLog(job, world)
      const { judged } = await learnWorld({ job, log, options, engine })
      const share = judgedOf({ judged }, 'share')
      const from = options.start_ms + atHours * 60 * MINUTE
      for (const [begin, end] of [
        [-10, 0],
        [0, 10],
        [10, 20],
        [20, 40],
      ] as const) {
        const part = between(
          share,
          (time) => time >= from + begin * MINUTE && time < from + end * MINUTE,
        )
        rows.push({
          guard: name,
          impressions: part.keys.length.toLocaleString('en-US'),
          'minutes from the start of the burst': `${begin} to ${end}`,
          'share: predicted over true': calibrationToTruth(part),
          'log loss above the best': excessLoss(part),
        })
      }
    }
    return rows
  },
}

/** @file The small job with epochs, checkpoints and versions as short as they can be told apart: much happens in few events. */

import { jobText } from './temporary-job.ts'
import { withTombstones } from './tombstones.ts'

/** So narrow that noise alone holds some versions back: the verdicts must survive a crash, too. */
const NARROW_GATE =
  'gate: { warmup_samples: 0, min_positives: 1, max_normalized_entropy: 2.5, calibration: [0.3, 5] }'

/** Rates that differ from step to step, and drift that is noticed after a few labels. */
const LIVELY_RATES =
  'schedule: { warmup_steps: 3, decay_steps: 5, reset_on_drift: true }, slot_rates: { user: 0.5 },'

/** Learns from everything and keeps figures per arm. */
const ARM = 'arm: { field: country, name: US, others: [BR, DE], train_on: shared }\n'

/** The last items of users, pooled both ways, over items of the simulated app. */
export function withHistories(text: string): string {
  const lines = [
    '  - { name: item, kind: id, from: item_id }',
    '  - { name: liked, kind: history, of: [user], items: item, tasks: [click, like], last: 4 }',
    '  - { name: clicked, kind: history, of: [user, category], items: item, tasks: [click], last: 3, pooling: mean }',
  ]
  return text.replace('batch:', `${lines.join('\n')}\nbatch:`)
}

/** Checkpoints and versions as often as they can be told apart, so that their writes are a large part. */
export function tightJob(folder: string): string {
  return withTombstones(withHistories(jobText(folder)))
    .replace('join:', 'join:\n  emission: staged')
    .replace('checkpoint_every_records: 500', 'epoch_records: 15, checkpoint_every_records: 70')
    .replace(
      'engine: plain,',
      `engine: plain, tables: { admit_after: 2, expire_hours: 0.02 }, state_tables: { expire_hours: 0.01 }, ${LIVELY_RATES}`,
    )
    .replace('log: silent', 'log: silent, drift: { block: 8, feature_rows: 100 }')
    .concat(ARM)
    .replace(
      'every_samples: 300, full_every: 4, chunk_bytes: 4096',
      `every_samples: 25, full_every: 2, chunk_bytes: 2048, ${NARROW_GATE}`,
    )
}

/** The same where every impression is learned from at once, with the heads that correct its negatives. */
export function tightFastJob(folder: string): string {
  return tightJob(folder)
    .replace('emission: staged', 'emission: fast')
    .replace('engine: plain,', 'engine: plain, correction: es-dfm,')
}

/** Users that are erased while their impressions are open, and one again when it is back. */
export const TIGHT_TOMBSTONES = [
  { user: 'u0', after: 20_000 },
  { user: 'u1', after: 45_000 },
  { user: 'u0', after: 60_000 },
]

/** @file One plausible report of every kind that a scorer makes. */

import type { ScorerReport } from '../../src/serve/scorer-report.ts'

export const EVERY_SCORER_REPORT: readonly ScorerReport[] = [
  { kind: 'request', status: 200, seconds: 0.004 },
  { kind: 'scored', rows: 9 },
  { kind: 'failed', message: 'no such thing' },
  {
    kind: 'applied',
    modelId: 'small',
    sequence: 12,
    sha256: 'ab'.repeat(32),
    tableRows: 4_000,
    publishedAtMs: 1_800_000_000_000,
  },
  { kind: 'refused', reason: 'gap', detail: 'version 14 does not follow version 12', usable: true },
  { kind: 'unreadable', message: 'the broker does not answer' },
  {
    kind: 'shadowed',
    rows: 20,
    tasks: [{ task: 'click', answer: 0.2, shadow: 0.25, distance: 0.06 }],
  },
  { kind: 'shadow-refused', reason: 'gap', detail: 'version 14 does not follow version 12' },
  { kind: 'shadow-version', modelId: 'small', sequence: 11, sha256: 'cd'.repeat(32) },
]

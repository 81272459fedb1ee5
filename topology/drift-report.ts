/** @file What the drift monitor knows, as a report. */

import type { DriftAlarm } from '../src/health.ts'
import type { DriftReport } from '../src/observe/report.ts'
import type { JobStages } from './job-stages.ts'

/** How things stand, with the alarms of this moment. */
export function driftReport(
  { drift }: Pick<JobStages, 'drift'>,
  raised: readonly DriftAlarm[] = [],
): DriftReport {
  return { kind: 'drift', raised, totals: drift.totals(), features: drift.shifts() }
}

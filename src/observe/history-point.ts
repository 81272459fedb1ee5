/** @file What of a status goes into the history: one flat record of named numbers. The page knows these names. */

import type { HistoryPoint } from './history.ts'
import type { Status } from './status.ts'

/** Series by task are `auc/click` and, of predictions at opening, `delayed_auc/click`; by pair of tasks `cosine/click/like`, by gate and expert `gate/gate.task.0/3`. */
export function historyPoint(status: Status): HistoryPoint {
  const { version, examined, tables } = status
  const point: Record<string, number | undefined> = {
    events_per_second: status.eventsPerSecond,
    samples_per_second: status.samplesPerSecond,
    lag_records: status.lagRecords,
    freshness_seconds: status.freshnessSeconds,
    version_age_seconds: version === undefined ? undefined : (status.at - version.at) / 1000,
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    table_bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
  }
  const tasks = status.tasks.map(({ task }) => task)
  for (const [index, { task, window }] of status.tasks.entries()) {
    point[`auc/${task}`] = window.auc
    point[`entropy/${task}`] = window.normalizedEntropy
    point[`calibration/${task}`] = window.calibrationRatio
    point[`label_rate/${task}`] = window.labelRate
    point[`weight/${task}`] = status.weights[index]
    for (const [other, name] of tasks.entries()) {
      if (other <= index) continue
      point[`cosine/${task}/${name}`] = examined?.cosines[index * tasks.length + other]
    }
  }
  for (const { task, window } of status.delayed) {
    point[`delayed_auc/${task}`] = window.auc
    point[`delayed_entropy/${task}`] = window.normalizedEntropy
    point[`delayed_calibration/${task}`] = window.calibrationRatio
  }
  for (const { gate, shares } of examined?.gates ?? []) {
    for (const [expert, share] of shares.entries()) point[`gate/${gate}/${expert}`] = share
  }
  const known = Object.entries(point).filter((entry): entry is [string, number] => {
    return entry[1] !== undefined
  })
  return Object.fromEntries(known)
}

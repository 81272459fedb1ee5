/** @file The tables at the end of a run: quality per task, where every event went, what was in use (door for cli-table3). */

import Table from 'cli-table3'
import { createColors } from 'picocolors'
import { formatCount, formatFigure } from './format.ts'
import type { RenderOptions } from './progress.ts'
import type { RunReport, TaskResult } from './run-report.ts'

/** The whole report as text for a terminal or a file, without a newline at its end. */
export function renderReport(report: RunReport, { color }: RenderOptions): string {
  const { bold } = createColors(color)
  const parts = [
    bold('Quality per task (each sample scored before it was learned from)'),
    qualityTable(report.tasks),
    ...delayedTable(report, bold),
    ...armTables(report, bold),
    renderAccounting(report.accounting, { color }),
    summary(report),
  ]
  return parts.join('\n')
}

/** The table of where every event went, with its heading. */
export function renderAccounting(
  accounting: RunReport['accounting'],
  { color }: RenderOptions,
): string {
  const { bold } = createColors(color)
  return `${bold('Where every event went')}\n${accountingTable(accounting)}`
}

function qualityTable(tasks: RunReport['tasks']): string {
  const head = ['task', 'AUC', 'calibration', 'log loss', 'NE', 'positives', 'samples']
  return drawn(
    head,
    Object.entries(tasks).map(([task, result]) => [task, ...taskCells(result)]),
  )
}

/** Only where something was judged: a job may score no impression as it opens. */
function delayedTable({ delayed }: RunReport, bold: (text: string) => string): string[] {
  if (Object.values(delayed).every(({ samples }) => samples === 0)) return []
  return [
    bold('The predictions made as impressions opened, by their final labels'),
    qualityTable(delayed),
  ]
}

/** One table per arm that was learned from. */
function armTables({ arms = {} }: RunReport, bold: (text: string) => string): string[] {
  return Object.entries(arms).flatMap(([arm, { learned, left_out: leftOut, tasks }]) => {
    if (learned + leftOut === 0) return []
    const title = `Arm ${arm}: ${formatCount(learned)} samples learned from, ${formatCount(leftOut)} left out`
    return learned === 0 ? [bold(title)] : [bold(title), qualityTable(tasks)]
  })
}

function taskCells(result: TaskResult): string[] {
  const { auc, calibration, logloss, normalized_entropy: entropy } = result
  const figures = [auc, calibration, logloss, entropy].map((value) =>
    formatFigure(value ?? undefined),
  )
  return [...figures, formatCount(result.positives), formatCount(result.samples)]
}

const COLUMNS = [
  'in',
  'joined',
  'erased',
  'duplicates',
  'late',
  'orphans',
  'dead_letters',
  'open',
] as const

function accountingTable(accounting: RunReport['accounting']): string {
  const results = Object.values(accounting)
  // A column for what few jobs have.
  const columns = COLUMNS.filter(
    (column) => column !== 'erased' || results.some(({ erased }) => erased > 0),
  )
  const head = ['topic', ...columns.map((column) => column.replace('_', ' '))]
  return drawn(
    head,
    Object.entries(accounting).map(([topic, result]) => [
      topic,
      ...columns.map((column) => formatCount(result[column])),
    ]),
  )
}

function summary(report: RunReport): string {
  const { engine, versions } = report
  return [
    `drift         ${driftText(report.drift)}`,
    `engine        ${engine.name} (${engine.reason})`,
    `versions      ${versions.published} (${versions.fulls} full, ${versions.deltas} delta)`,
    `samples       ${formatCount(report.samples)} (${formatCount(report.samples_per_second)}/s)`,
    `state_sha256  ${report.state_sha256}`,
  ].join('\n')
}

function driftText({ alarms, features }: RunReport['drift']): string {
  const count = (wanted: string): number =>
    alarms.reduce((sum, one) => sum + (one.signal === wanted ? one.alarms : 0), 0)
  const largest = Math.max(0, ...Object.values(features).map((psi) => psi ?? 0))
  return `${count('loss')} alarms of losses, ${count('label-rate')} of label rates, features moved by up to ${largest.toFixed(2)} (PSI)`
}

/** First column to the left, numbers to the right; no colour of its own. */
function drawn(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  })
  for (const row of rows) table.push([...row])
  return table.toString()
}

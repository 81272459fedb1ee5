/** @file The leaderboard as Markdown: every configuration that was trained, losers and failures included. */

import { formatBytes, formatCount, formatFigure } from '../src/observe/format.ts'
import { GROUPS } from './compare-list.ts'
import type { Outcome, TaskScore } from './compare-run.ts'

/** Where and from what the numbers came. */
export interface Circumstances {
  readonly commit: string
  readonly machine: string
  readonly engine: string
  readonly command: string
}

/** The results on one data set. */
export interface Board {
  readonly title: string
  readonly source: string
  readonly samples: number
  /** Share of the samples, from the start, that no figure counts. */
  readonly skipped: number
  readonly tasks: readonly string[]
  readonly outcomes: readonly Outcome[]
}

type Learned = Extract<Outcome, { kind: 'learned' }>

/** The whole page. */
export function leaderboardPage(circumstances: Circumstances, boards: readonly Board[]): string {
  const { commit, machine, engine, command } = circumstances
  return [
    '# Leaderboard',
    '',
    'One pass over each stream; every sample is scored before it is learned from, and judged by that score. Written by',
    '',
    '```sh needs=an-hour',
    command,
    '```',
    '',
    `- commit ${commit}`,
    `- ${machine}`,
    `- engine: ${engine}`,
    '',
    'Each cell is AUC with its 95 % bootstrap interval (200 resamples of the rows) and, after the slash, normalised entropy (below 1 is better',
    'than the base rate). Rows are sorted by mean AUC; *gap* is the difference in mean AUC to the first row of the table. `state` is what the',
    'model keeps in memory (rows with keys and optimizer state, dense weights with moments), `peak` the largest resident set of the process',
    'while it ran, with the samples and the engine; samples are per second of processor time, all threads together. Balancers run on MMoE. **Bold** is what the example job asks for.',
    '',
    ...boards.flatMap(boardLines),
  ].join('\n')
}

function boardLines(board: Board): string[] {
  const { title, source, samples, skipped, outcomes } = board
  const skip = `the first ${Math.round(100 * skipped)} % are learned from but not judged`
  return [
    `## ${title}`,
    '',
    `${source}: ${formatCount(samples)} samples, ${skip}. Judged positives: ${positives(outcomes)}.`,
    '',
    ...GROUPS.flatMap((group) => {
      const rows = outcomes.filter(({ configuration }) => configuration.group === group)
      return rows.length === 0 ? [] : [`### ${capital(group)}`, '', ...table(board, rows), '']
    }),
    ...failures(outcomes),
  ]
}

/** A task with few positives has a wide interval: its AUC moves the mean by luck. */
function positives(outcomes: readonly Outcome[]): string {
  const [first] = outcomes.filter((outcome) => outcome.kind === 'learned')
  const counts = first?.tasks.map(({ task, positives: count }) => `${task} ${formatCount(count)}`)
  return counts?.join(', ') ?? 'none'
}

function table({ tasks }: Board, outcomes: readonly Outcome[]): string[] {
  const learned = outcomes
    .filter((outcome) => outcome.kind === 'learned')
    .sort((a, b) => order(b) - order(a))
  const [best] = learned
  const head = ['configuration', ...tasks, 'gap', 'samples per CPU s', 'state', 'peak']
  return [
    line(head),
    line(head.map((_, column) => (column === 0 ? '---' : '---:'))),
    ...learned.map((outcome) => line(cells(outcome, tasks, best))),
  ]
}

function cells(outcome: Learned, tasks: readonly string[], best: Learned | undefined): string[] {
  const { configuration, samplesPerSecond, stateBytes, peakBytes } = outcome
  const { name, isDefault } = configuration
  // Fewer tasks have another mean.
  const same = outcome.tasks.length === best?.tasks.length
  const gap = best === undefined || !same ? '' : (meanAuc(outcome) - meanAuc(best)).toFixed(4)
  return [
    isDefault ? `**${name}**` : name,
    ...tasks.map((_, task) => scoreCell(outcome.tasks[task])),
    gap,
    formatCount(samplesPerSecond),
    formatBytes(stateBytes),
    formatBytes(peakBytes),
  ]
}

function scoreCell(score: TaskScore | undefined): string {
  if (score === undefined) return ''
  const { auc, interval, normalizedEntropy } = score
  const range =
    interval === undefined ? '' : ` [${formatFigure(interval.low)}, ${formatFigure(interval.high)}]`
  return `${formatFigure(auc)}${range} / ${formatFigure(normalizedEntropy)}`
}

function failures(outcomes: readonly Outcome[]): string[] {
  const lines = outcomes.flatMap((outcome) =>
    outcome.kind === 'failed' ? [`- ${outcome.configuration.name}: ${outcome.reason}`] : [],
  )
  return lines.length === 0 ? [] : ['Not learned to the end:', '', ...lines, '']
}

/** Configurations that learn fewer tasks come after all others. */
function order(outcome: Learned): number {
  return outcome.tasks.length + meanAuc(outcome)
}

/** Over the tasks that have one; 0 without any. */
export function meanAuc({ tasks }: Learned): number {
  const known = tasks.flatMap(({ auc }) => (auc === undefined ? [] : [auc]))
  return known.reduce((sum, auc) => sum + auc, 0) / Math.max(1, known.length)
}

function line(row: readonly string[]): string {
  return `| ${row.join(' | ')} |`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

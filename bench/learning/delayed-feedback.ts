/** @file Which emission and correction is calibrated? Every impression is judged by what was predicted as it opened (streaming e.1, e.2). */

import type { Experiment, Row } from './experiment.ts'
import {
  aucOf,
  calibrationToLabels,
  excessLoss,
  type Judged,
  joinWith,
  laterThan,
  learnWorld,
  sum,
  worldJob,
  worldLog,
} from './world-run.ts'

/** Only the last two thirds are judged: at first every model is wrong. */
const SKIPPED = 1 / 3

/** A stream and what is done about it; `theory`: what it converges to without noise, over p. */
interface Case {
  readonly name: string
  readonly join: string
  readonly train?: string
  readonly theory: (p: number) => number
}

const exact = (p: number): number => p
const CASES: readonly Case[] = [
  { name: 'wait', join: '', theory: exact },
  { name: 'staged', join: 'emission: staged', theory: exact },
  { name: 'fast, none', join: 'emission: fast', train: 'none', theory: (p) => p / (1 + p) },
  { name: 'fast, fnc', join: 'emission: fast', train: 'fnc', theory: exact },
  { name: 'fast, fnw', join: 'emission: fast', train: 'fnw', theory: exact },
  { name: 'fast, es-dfm', join: 'emission: fast', train: 'es-dfm', theory: exact },
  { name: 'fast, retraction', join: 'emission: fast', train: 'retraction', theory: exact },
  {
    name: 'fast after 5 s, es-dfm',
    join: 'emission: fast, observe_ms: 5000',
    train: 'es-dfm',
    theory: exact,
  },
  {
    name: 'fast after 5 s, retraction',
    join: 'emission: fast, observe_ms: 5000',
    train: 'retraction',
    theory: exact,
  },
]

function trainWith(correction: string | undefined): string {
  return `
  ${correction === undefined ? '' : `correction: ${correction}`}
  dense: { learning_rate: 0.002 }
  sparse: { kind: adagrad, learning_rate: 0.05, initial_accumulator: 0.0001 }
  wide: { kind: adagrad, learning_rate: 0.05, initial_accumulator: 0.0001 }`
}

function expected(judged: Judged, theory: (p: number) => number): number {
  return sum(judged.truths.map(theory)) / sum(judged.truths)
}

export const delayedFeedback: Experiment = {
  name: 'delayed-feedback',
  question: 'Is the model calibrated when labels come late?',
  columns: [
    { name: 'emission, correction' },
    { name: 'task' },
    { name: 'calibration', digits: 3 },
    { name: 'theory', digits: 3 },
    { name: 'AUC', digits: 4 },
    { name: 'log loss above the best', digits: 4 },
  ],
  run: async ({ engine, impressions }) => {
    const { log, options } = await worldLog(worldJob(), { impressions })
    const rows: Row[] = []
    for (const { name, join, train, theory } of CASES) {
      const job = worldJob({ join: joinWith(join), train: trainWith(train) })
      const { judged } = await learnWorld({ job, log, options, engine })
      for (const all of judged) {
        const late = laterThan(all, SKIPPED)
        rows.push({
          'emission, correction': name,
          task: late.task,
          calibration: calibrationToLabels(late),
          theory: expected(late, theory),
          AUC: aucOf(late),
          'log loss above the best': excessLoss(late),
        })
      }
    }
    return rows
  },
}

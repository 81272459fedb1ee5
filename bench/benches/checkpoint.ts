/** @file How long a checkpoint stops the learner at a million rows, and how long until it is durable. */

import { join } from 'node:path'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import { mix32 } from '../../src/random.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { WHOLE_JOB } from '../../topology/learner-role.ts'
import { type OpenLearner, openLearner } from '../../topology/open-learner.ts'
import type { Bench, BenchContext, Measured } from '../bench.ts'
import { simulatedJob, wallClock } from '../simulated.ts'

const ROWS = 1_000_000
/** Rows that change between two checkpoints: about those of 50,000 impressions of 13 ids, most of them seen before. */
const TOUCHED = 50_000
/** Twice until every row has been repeated. */
const ROUNDS = 40

export const checkpointBench: Bench = {
  name: 'checkpoint',
  summary: `Pause of a checkpoint with ${ROWS / 1e6} million rows, ${TOUCHED} of them changed since the last.`,
  peers: [],
  run: measure,
}

async function measure({ folder, rounds = ROUNDS, say }: BenchContext): Promise<Measured> {
  const job = simulatedJob({ bus: { kind: 'memory' }, train: { state: join(folder, 'state') } })
  const learner = await openLearner({
    job,
    log: new MemoryLog(),
    engine: plainEngine('float32'),
    clock: wallClock,
    role: WHOLE_JOB,
    report: () => undefined,
  })
  const { table } = learner.run.context.stages
  for (let row = 0; row < ROWS; row++) table.insertOne(mix32(row), row)
  table.takeDirty('publication')
  const first = await timed(learner)
  say(`the first, all rows new: ${first.pauseMs.toFixed(0)} ms`)
  const times: CheckpointTime[] = []
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < TOUCHED; i++) table.changeValuesOf((round + i * 17) % ROWS)[0]! += 1
    times.push(await timed(learner))
  }
  await learner.close()
  const pauses = times.map(({ pauseMs }) => pauseMs)
  const { payloadBytes } = table.bytes
  const ms = { unit: 'ms', better: 'lower' } as const
  return {
    figures: [
      {
        label: `longest pause of ${rounds}, ${TOUCHED} rows changed`,
        rounds: [Math.max(...pauses)],
        ...ms,
        target: 100,
      },
      { label: 'median pause', rounds: pauses, ...ms, target: 100 },
      { label: 'until it is durable', rounds: times.map(({ durableMs }) => durableMs), ...ms },
      { label: 'pause of the first, every row new', rounds: [first.pauseMs], ...ms },
    ],
    facts: { rows: ROWS, touched: TOUCHED, payload_mb: Math.round(payloadBytes / 1e6) },
  }
}

interface CheckpointTime {
  /** Until the learner goes on. */
  readonly pauseMs: number
  readonly durableMs: number
}

async function timed({ run }: OpenLearner): Promise<CheckpointTime> {
  const started = performance.now()
  await run.checkpoint()
  const pauseMs = performance.now() - started
  await run.saved()
  return { pauseMs, durableMs: performance.now() - started }
}

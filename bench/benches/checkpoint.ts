/** @file How long a checkpoint stops the learner at a million rows: an incremental one, and a full one. */

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
const ROUNDS = 8

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
  const full = pauseMs(learner)
  say(`full: ${full.toFixed(0)} ms`)
  const pauses: number[] = []
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < TOUCHED; i++) table.changeValuesOf((round + i * 17) % ROWS)[0]! += 1
    pauses.push(pauseMs(learner))
  }
  learner.close()
  const { payloadBytes } = table.bytes
  return {
    figures: [
      {
        label: `incremental, ${TOUCHED} rows changed`,
        unit: 'ms',
        rounds: pauses,
        better: 'lower',
        target: 100,
      },
      { label: 'full, one in 20', unit: 'ms', rounds: [full], better: 'lower', target: 100 },
    ],
    facts: { rows: ROWS, touched: TOUCHED, payload_mb: Math.round(payloadBytes / 1e6) },
  }
}

function pauseMs({ run }: OpenLearner): number {
  const started = performance.now()
  run.checkpoint()
  return performance.now() - started
}

/** @file A scorer in the process of a test, stopped with it. */

import { onTestFinished } from 'vitest'
import { createLog } from '../../src/observe/log.ts'
import { type RunningScorer, type ScorerOptions, startScorer } from '../../topology/serve-scorer.ts'
import { frozenClock } from './temporary-job.ts'

const LIMITS = {
  maxRows: 100,
  timeField: 'event_time',
  maxBodyBytes: 100_000,
  requestTimeoutMs: 5_000,
  drainMs: 5_000,
}

/** On a free port of this machine; `lines` is its log. */
export async function scorerOf(
  sources: Pick<ScorerOptions, 'source' | 'shadow'> & Partial<Pick<ScorerOptions, 'engine'>>,
): Promise<RunningScorer & { readonly lines: readonly string[] }> {
  const lines: string[] = []
  const scorer = await startScorer({
    engine: 'plain',
    ...sources,
    clock: frozenClock,
    lines: createLog({ level: 'info', clock: frozenClock, write: (line) => lines.push(line) }),
    limits: LIMITS,
    host: '127.0.0.1',
    port: 0,
  })
  onTestFinished(async () => {
    scorer.stop()
    await scorer.ended
  })
  return { ...scorer, lines }
}

/** Asks for the scores of the rows, in JSON. */
export function postRows(url: string, rows: readonly object[]): Promise<Response> {
  return fetch(`${url}/score`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ rows }),
  })
}

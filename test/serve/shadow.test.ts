/** @file A second version beside the one that answers: its differences are right, it takes its share, and its faults are its own. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Follower } from '../../src/serve/follower.ts'
import { serveScores } from '../../src/serve/http.ts'
import { Scorer } from '../../src/serve/scorer.ts'
import type { ScorerReport } from '../../src/serve/scorer-report.ts'
import { Shadow } from '../../src/serve/shadow.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { chunksOf, smallTrainer } from '../publish/small-trainer.ts'

const ROWS = Array.from({ length: 6 }, (_, i) => ({
  fields: { user: `u${i}`, tags: ['x', `t${i}`], age: i },
  time: 1000 * i,
}))

/** Two followers of one trainer, one of them `behind` versions back. */
function twoVersions(behind: number) {
  const trainer = smallTrainer()
  const [answer, shadow] = [new Follower(plainEngine()), new Follower(plainEngine())]
  for (let n = 0; n < 4; n++) {
    for (const chunk of chunksOf(trainer.next())) {
      answer.follow(chunk)
      if (n < 4 - behind) shadow.follow(chunk)
    }
  }
  return { answer: new Scorer(answer), shadow: new Scorer(shadow) }
}

test('means and distances are those of the two versions, task by task', () => {
  const { answer, shadow } = twoVersions(2)
  const answered = answer.score(ROWS)!
  const other = shadow.score(ROWS)!
  expect(other.version).toBe(2)
  const compared = new Shadow(shadow, 1).compare(ROWS, answered)
  expect(compared?.rows).toBe(ROWS.length)
  expect(compared?.tasks.map(({ task }) => task)).toEqual(answered.tasks)
  for (const [t, found] of (compared?.tasks ?? []).entries()) {
    const of = (scores: Float32Array) => [...scores.subarray(t * 6, (t + 1) * 6)]
    const [p, q] = [of(answered.probabilities), of(other.probabilities)]
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / 6
    expect(found.answer).toBeCloseTo(mean(p), 6)
    expect(found.shadow).toBeCloseTo(mean(q), 6)
    expect(found.distance).toBeCloseTo(mean(p.map((value, i) => Math.abs(value - q[i]!))), 6)
    expect(found.distance).toBeGreaterThan(0)
  }
})

test('the same version in its own shadow differs in nothing', () => {
  const { answer, shadow } = twoVersions(0)
  const compared = new Shadow(shadow, 1).compare(ROWS, answer.score(ROWS)!)
  expect(compared?.tasks.every(({ distance }) => distance === 0)).toBe(true)
})

test('it scores its share of the requests, and none before it has a version', () => {
  const { answer, shadow } = twoVersions(1)
  const count = (of: Shadow) =>
    Array.from({ length: 40 }, () => of.compare(ROWS, answer.score(ROWS)!)).filter(
      (compared) => compared !== undefined,
    ).length
  expect(count(new Shadow(shadow, 0.25))).toBe(10)
  expect(count(new Shadow(shadow, 1))).toBe(40)
  expect(count(new Shadow(new Scorer(new Follower(plainEngine())), 1))).toBe(0)
})

test('requests from before its first version are not made up for', () => {
  const trainer = smallTrainer()
  const [answering, follower] = [new Follower(plainEngine()), new Follower(plainEngine())]
  const chunks = chunksOf(trainer.next())
  for (const chunk of chunks) answering.follow(chunk)
  const answered = new Scorer(answering).score(ROWS)!
  const shadow = new Shadow(new Scorer(follower), 0.25)
  const turns = () => Array.from({ length: 40 }, () => shadow.compare(ROWS, answered) !== undefined)
  expect(turns()).not.toContain(true)
  for (const chunk of chunks) follower.follow(chunk)
  expect(turns().filter((turn) => turn).length).toBe(10)
})

test('over HTTP the answer is that of the one, the report has both, and a fault of the shadow is none of the answer', async () => {
  const { answer, shadow } = twoVersions(2)
  const broken = new Shadow(shadow, 1)
  broken.compare = () => {
    throw new RangeError('broken')
  }
  for (const [one, expected] of [
    [new Shadow(shadow, 1), { kind: 'shadowed', rows: 1 }],
    [broken, { kind: 'failed', message: 'the shadow: broken' }],
  ] as const) {
    const reports: ScorerReport[] = []
    const server = await serveScores({
      scorer: answer,
      shadow: one,
      ready: () => true,
      metrics: { contentType: 'text/plain', expose: async () => '' },
      report: (report) => reports.push(report),
      limits: {
        maxRows: 10,
        timeField: 'at',
        maxBodyBytes: 1000,
        requestTimeoutMs: 1000,
        drainMs: 1000,
      },
    })
    const response = await fetch(`${server.url}/score`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ rows: [{ user: 'u1', at: '1970-01-01T00:00:01Z' }] }),
    })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ version: 4 })
    await server.close()
    while (reports.length < 3) await nextTurn()
    expect(reports).toContainEqual(expect.objectContaining(expected))
  }
})

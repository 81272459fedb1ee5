/** @file Time travel as a user types it, and its laws: the same job differs from itself by nothing, weights that come late are not better. */

import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { auc } from '../../src/observe/auc.ts'
import { logLoss } from '../../src/observe/log-loss.ts'
import { pairedDifference } from '../../src/observe/paired-difference.ts'
import { randomFrom } from '../../src/random.ts'
import { syncMs } from '../../topology/replay-command.ts'
import { run } from './cli.ts'
import { jobText, openJobLog, produceWorld, smallJob, temporaryFolder } from './temporary-job.ts'

async function folderWithEvents(): Promise<string> {
  const folder = temporaryFolder()
  const job = smallJob(folder)
  writeFileSync(`${folder}/job.yaml`, jobText(folder))
  const log = await openJobLog(job)
  await produceWorld(job, log, 3_000)
  await log.close()
  return folder
}

describe('replay', () => {
  test('of a job against itself finds no difference, against another one an interval around it', async () => {
    const folder = await folderWithEvents()
    const other = jobText(folder).replace('dim: 4', 'dim: 2')
    writeFileSync(`${folder}/other.yaml`, other)
    const job = `${folder}/job.yaml`
    const same = await run(['replay', job, '--against', job, '--json'])
    expect(same, same.stderr).toMatchObject({ code: 0 })
    for (const result of JSON.parse(same.stdout)) {
      expect(result).toMatchObject({ logloss: 0, auc: 0, aucInterval: { low: 0, high: 0 } })
      expect(result.impressions).toBeGreaterThan(2_000)
    }
    const found = await run(['replay', job, '--against', `${folder}/other.yaml`])
    expect(found.stdout).toMatch(
      /other\.yaml against .*job\.yaml, click: log loss [+-]0\.\d+ \[[+-]0\.\d+, [+-]0\.\d+\], AUC [+-]0\.\d+/,
    )
  }, 120_000)

  test('with weights that never come again is worse than with fresh ones, and takes a part of the stream', async () => {
    const folder = await folderWithEvents()
    const report = `${folder}/sync.json`
    const job = `${folder}/job.yaml`
    const to = '2026-03-02T06:04:00Z'
    const ended = await run(['replay', job, '--sync', '0s,frozen', '--to', to, '--report', report])
    expect(ended, ended.stderr).toMatchObject({ code: 0 })
    const [click] = JSON.parse(readFileSync(report, 'utf8'))
    expect(click).toMatchObject({ arm: 'frozen', against: '0s', task: 'click' })
    expect(click.logloss).toBeGreaterThan(0)
    expect(click.impressions).toBeLessThan(2_300)
  }, 120_000)

  test('scores rows that were given up as gone, whether full versions or deltas come', async () => {
    const folder = await folderWithEvents()
    const found = ['1', '1000'].map(async (fullEvery) => {
      const job = `${folder}/full-${fullEvery}.yaml`
      const text = jobText(folder)
        .replace('full_every: 4', `full_every: ${fullEvery}`)
        .replace('engine: plain,', 'engine: plain, tables: { expire_hours: 0.02 },')
      writeFileSync(job, text)
      const ended = await run(['replay', job, '--sync', '10s,frozen', '--json'])
      expect(ended, ended.stderr).toMatchObject({ code: 0 })
      return JSON.parse(ended.stdout)
    })
    const [full, delta] = await Promise.all(found)
    expect(full).toEqual(delta)
  }, 120_000)

  test('says what is missing or cannot be read', async () => {
    const folder = temporaryFolder()
    writeFileSync(`${folder}/job.yaml`, jobText(folder))
    const job = `${folder}/job.yaml`
    expect((await run(['replay', job])).stderr).toContain('give either --against')
    expect((await run(['replay', job, '--sync', '5 parsecs'])).stderr).toContain('60s, 1h')
    const zoneless = await run(['replay', job, '--sync', '60s', '--from', '2026-03-02T06:04:00'])
    expect(zoneless.stderr).toContain('with a zone')
    expect(syncMs('24h')).toBe(86_400_000)
  }, 60_000)

  test('refuses a job without impressions: there is no moment at which two learners were asked the same', async () => {
    const folder = temporaryFolder()
    const text = readFileSync('examples/actions/job.yaml', 'utf8')
      .replace('.millrace/actions', folder)
      .replaceAll('../../schemas', resolve('schemas'))
    writeFileSync(`${folder}/actions.yaml`, text)
    const refused = await run(['replay', `${folder}/actions.yaml`, '--sync', '60s'])
    expect(refused.code).toBe(3)
    expect(refused.stderr).toContain('actions.yaml has no impressions')
    expect(refused.stderr).toContain('anchor: true')
  }, 60_000)
})

test('a paired difference is that of the two figures, and its interval holds it', () => {
  const random = randomFrom(4)
  const rows = 4_000
  const truth = Float32Array.from({ length: rows }, () => random.uniform())
  const labels = truth.map((p) => (random.uniform() < p ? 1 : 0))
  const noisy = truth.map((p) => Math.min(0.99, Math.max(0.01, p + 0.3 * (random.uniform() - 0.5))))
  const sharp = truth.map((p) => Math.min(0.99, Math.max(0.01, p)))
  const found = pairedDifference(noisy, sharp, labels)
  expect(found.logloss).toBeCloseTo(
    (logLoss(sharp, labels) ?? 0) - (logLoss(noisy, labels) ?? 0),
    6,
  )
  expect(found.auc).toBeCloseTo((auc(sharp, labels) ?? 0) - (auc(noisy, labels) ?? 0), 9)
  const { low, high } = found.loglossInterval
  expect(low).toBeLessThan(found.logloss)
  expect(high).toBeGreaterThan(found.logloss)
  // The truth beats its noisy copy beyond doubt.
  expect(high).toBeLessThan(0)
  expect(found.aucInterval?.low).toBeGreaterThan(0)
})

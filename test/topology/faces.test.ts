/** @file A running learner as its operators see it: metrics, probes, page, log lines, and a clean stop. */

import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { run, start } from './cli.ts'
import { jobText, temporaryFolder } from './temporary-job.ts'

const PORT = 19_464
const URL = `http://127.0.0.1:${PORT}`
const promtool = spawnSync('promtool', ['--version']).status === 0

if (!promtool)
  console.warn('PROMTOOL IS ABSENT (Debian package prometheus): /metrics is not linted')

async function answer(path: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`${URL}${path}`)
  return { status: response.status, body: await response.text() }
}

/** Polls until the check passes: the process needs time to start and to learn. */
async function eventually(check: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await check().catch(() => false)) return
    await sleep(100)
  }
  throw new Error('it did not happen within 30 s')
}

test('a live learner answers on /metrics, /healthz and /readyz, learns what another process produces, and stops cleanly', async () => {
  const folder = temporaryFolder()
  const text = jobText(folder).replace(
    'http: { enabled: false }, log: silent',
    `http: { port: ${PORT} }`,
  )
  writeFileSync(`${folder}/job.yaml`, text)
  const learner = start(['run', `${folder}/job.yaml`, '--report', `${folder}/report.json`])
  try {
    await eventually(async () => (await answer('/healthz')).status === 200)
    expect((await answer('/readyz')).status).toBe(503)
    const produced = await run(['produce', `${folder}/job.yaml`, '--impressions', '2000'])
    expect(produced, produced.stderr).toMatchObject({ code: 0 })
    await eventually(async () => (await answer('/readyz')).status === 200)
    await eventually(async () => (await answer('/metrics')).body.includes('millrace_task_auc{'))
    const { body } = await answer('/metrics')
    for (const name of [
      'millrace_events_total',
      'millrace_samples_total',
      'millrace_consumer_lag_records',
      'millrace_watermark_timestamp_seconds',
      'millrace_model_version',
      'millrace_freshness_seconds',
      'millrace_task_auc',
      'millrace_task_calibration_ratio',
      'millrace_training_step_duration_seconds_bucket',
    ]) {
      expect(body, name).toContain(name)
    }
    if (process.env.CI) expect(promtool, 'promtool must be there in CI').toBe(true)
    if (promtool) execFileSync('promtool', ['check', 'metrics'], { input: body })
    expect((await answer('/')).body).toContain('<title>')
  } finally {
    learner.process.kill('SIGINT')
  }
  const ended = await learner.ended
  expect(ended, ended.stderr).toMatchObject({ code: 0 })
  expect(ended.stdout).toContain('Where every event went')
}, 90_000)

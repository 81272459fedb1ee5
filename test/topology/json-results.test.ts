/** @file `--json`: what each command gives to programs, from one small job. */

import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CommandContext } from '../../topology/command-context.ts'
import { describeCommand } from '../../topology/describe.ts'
import { doctorCommand } from '../../topology/doctor-command.ts'
import { joinCommand } from '../../topology/join-command.ts'
import { produceCommand } from '../../topology/produce-command.ts'
import { runCommand } from '../../topology/run-command.ts'
import { scoreCommand } from '../../topology/score-command.ts'
import { type SnapshotAction, snapshotCommand } from '../../topology/snapshot-command.ts'
import { jobText, temporaryFolder } from './temporary-job.ts'

const folder = temporaryFolder(afterAll)
const job = `${folder}/job.yaml`

/** What a command prints, read as one JSON value. */
async function resultOf(command: (context: CommandContext) => Promise<void>) {
  const printed: string[] = []
  await command({
    clock: { now: () => Date.now() },
    environment: {},
    terminal: process.stderr,
    print: (text) => void printed.push(text),
    json: true,
    script: '',
  })
  return JSON.parse(printed.join('\n'))
}

const snapshot = (action: SnapshotAction) =>
  resultOf((context) => snapshotCommand(context, { from: `${folder}/bus` }, action))

describe('as a value', () => {
  let produced: Record<string, unknown>
  let report: { accounting: unknown; samples: number; versions: { published: number } }

  beforeAll(async () => {
    writeFileSync(job, jobText(folder))
    produced = await resultOf((context) =>
      produceCommand(context, { job, seed: 1, impressions: 1200 }),
    )
    report = await resultOf((context) => runCommand(context, { job, exit: true, role: 'all' }))
  })

  test('produce counts what it appended, run reports', () => {
    expect(produced).toMatchObject({ appended: { impression: expect.any(Number) } })
    expect(report).toMatchObject({
      samples: expect.any(Number),
      engine: { name: expect.any(String) },
    })
  })

  test('join gives the accounting of the run', async () => {
    const output = `${folder}/joined.ndjson`
    const joined = await resultOf((context) => joinCommand(context, { job, output }))
    expect(joined).toEqual({ samples: report.samples, accounting: report.accounting })
  })

  test('describe has the wiring', async () => {
    const wiring = await resultOf((context) => describeCommand(context, { job, format: 'text' }))
    expect(wiring.flows).toContainEqual({ from: 'predict, then learn', to: 'model' })
  })

  test('doctor has the machine, its findings and what the windows lose', async () => {
    const found = await resultOf((context) => doctorCommand(context, job))
    expect(found).toMatchObject({ engine: expect.any(String), job: 'small' })
    expect(found.findings).toContainEqual(
      expect.objectContaining({ subject: 'bus', state: 'good' }),
    )
    expect(found.windows).toEqual([
      expect.objectContaining({ task: 'click', window_ms: 30_000, lost_share: expect.any(Number) }),
      expect.objectContaining({ task: 'like', window_ms: 120_000 }),
    ])
  })

  test('score names the version', async () => {
    const input = `${folder}/rows.ndjson`
    writeFileSync(input, '{"user_id":"u1","event_time":1772431200000}\n')
    const files = { from: `${folder}/bus`, input, output: `${folder}/scores.ndjson` }
    const scored = await resultOf((context) =>
      scoreCommand(context, { ...files, topic: 'model', timeField: 'event_time' }),
    )
    expect(scored).toMatchObject({ rows: 1, model_id: 'small', version: report.versions.published })
  })

  test('snapshot lists, verifies, exports, pins and rolls back', async () => {
    const listed = await snapshot({ kind: 'list' })
    expect(listed).toHaveLength(report.versions.published)
    expect(await snapshot({ kind: 'verify' })).toEqual({
      sound: listed.length,
      refused: [],
      signatures: 'not checked',
    })
    const output = `${folder}/model.safetensors`
    expect(
      await snapshot({ kind: 'export', version: 2, format: 'safetensors', output }),
    ).toMatchObject({ version: 2, format: 'safetensors', bytes: expect.any(Number) })
    expect(await snapshot({ kind: 'pin', version: 2 })).toEqual({ pinned: 2 })
    expect(await snapshot({ kind: 'rollback', version: 1 })).toEqual({
      pinned: 1,
      withdrawn: listed.length - 1,
    })
  })
})

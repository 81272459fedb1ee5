/** @file The commands as a user types them, on a small log in a temporary folder. */

import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FeatureEncoder } from '../../src/features/encode.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { packageVersion } from '../../topology/package-files.ts'
import { run } from './cli.ts'
import { learnWhole } from './learn-whole.ts'
import { jobText, openJobLog, smallJob, temporaryFolder } from './temporary-job.ts'

const ROWS = Array.from({ length: 50 }, (_, i) => ({
  user_id: `u${i % 7}`,
  category: i % 2 === 0 ? 'music' : 'never seen before',
  tags: ['tag-1', `tag-${i}`],
  item_age_hours: i / 3,
  event_time: 1_772_431_200_000 + i,
}))

function ndjson(path: string): Record<string, unknown>[] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line))
}

describe('a log with events', () => {
  let folder: string
  beforeAll(async () => {
    folder = temporaryFolder(afterAll)
    writeFileSync(`${folder}/job.yaml`, jobText(folder))
    const produced = await run(['produce', `${folder}/job.yaml`, '--impressions', '2000'])
    expect(produced, produced.stderr).toMatchObject({ code: 0 })
  })

  test('check says what would run', async () => {
    const { code, stdout } = await run(['check', `${folder}/job.yaml`])
    expect(code).toBe(0)
    expect(stdout).toContain(
      '2 tasks (click, like), 3 id features, 1 number, 9 columns learned from the stream, mmoe',
    )
  })

  test('check names file, line and remedy of a wrong setting', async () => {
    const text = jobText(folder).replace('batch: { count: 32 }', 'batch: { count: -3 }')
    writeFileSync(`${folder}/wrong.yaml`, text)
    const line = text.split('\n').findIndex((one) => one.startsWith('batch')) + 1
    const { code, stderr } = await run(['check', `${folder}/wrong.yaml`])
    expect(code).not.toBe(0)
    expect(stderr).toContain(`wrong.yaml:${line}: batch.count is -3`)
  })

  test('check names a field that the schema does not have', async () => {
    writeFileSync(`${folder}/field.yaml`, jobText(folder).replace('from: user_id', 'from: usr'))
    const { code, stderr } = await run(['check', `${folder}/field.yaml`])
    expect(code).not.toBe(0)
    expect(stderr).toContain('feature user reads the field usr')
    expect(stderr).toContain('user_id')
  })

  test('describe shows the wiring, as text and as a flowchart', async () => {
    const text = await run(['describe', `${folder}/job.yaml`])
    expect(text.stdout).toContain('labels   like: a like within 120 s of the impression')
    const chart = await run(['describe', `${folder}/job.yaml`, '--format', 'mermaid'])
    expect(chart.stdout).toMatch(/^flowchart LR\n/)
    expect(chart.stdout).toContain(
      'predict__then_learn["predict, then learn"] --> model[("model")]',
    )
  })

  test('join writes every sample and the fate of every event', async () => {
    const { code, stdout } = await run([
      'join',
      `${folder}/job.yaml`,
      '--output',
      `${folder}/joined.ndjson`,
      '--json',
    ])
    expect(code).toBe(0)
    const joined = JSON.parse(stdout)
    const rows = ndjson(`${folder}/joined.ndjson`)
    const samples = rows.filter(({ row }) => row === 'sample')
    expect(samples.length).toBe(joined.accounting.impressions.joined)
    expect(samples.length).toBe(joined.samples)
    expect(samples[0]).toMatchObject({ mask: { click: true, like: true } })
    for (const [topic, counts] of Object.entries<Record<string, number>>(joined.accounting)) {
      const fates = rows.filter((row) => row.row === 'event' && row.topic === topic)
      const fate = (name: string) => fates.filter(({ output }) => output === name).length
      expect(fate('duplicate'), topic).toBe(counts.duplicates)
      expect(fate('orphan'), topic).toBe(counts.orphans)
      if (topic !== 'impressions') expect(fate('joined'), topic).toBe(counts.joined)
    }
  })

  test('score rebuilds the model from the topic alone, in another process, and scores as the trainer does', async () => {
    const job = smallJob(folder)
    const log = await openJobLog(job)
    const { stages } = await learnWhole({ job, log, engine: plainEngine('float32') })
    await log.close()
    writeFileSync(`${folder}/rows.ndjson`, ROWS.map((row) => JSON.stringify(row)).join('\n'))
    const scored = await run([
      'score',
      ...['--from', `${folder}/bus`],
      ...['--input', `${folder}/rows.ndjson`],
      ...['--output', `${folder}/scores.ndjson`],
    ])
    expect(scored, scored.stderr).toMatchObject({ code: 0 })
    expect(scored.stdout).toContain(`with version ${stages.publisher.sequence} of small`)
    const encoder = new FeatureEncoder(stages.encoder.spec, stages.featureState)
    encoder.setStatistics(stages.encoder.statistics())
    const rows = ROWS.map((fields) => ({ fields, time: fields.event_time }))
    const expected = stages.learner.score(encoder.encode(rows))
    const scores = ndjson(`${folder}/scores.ndjson`).map((row) => row.scores)
    const found = Float32Array.from(
      ['click', 'like'].flatMap((task) =>
        scores.map((row) => (row as Record<string, number>)[task] ?? NaN),
      ),
    )
    expect(found).toEqual(expected)
  })

  test('score says what is wrong when there is no model', async () => {
    const { code, stderr } = await run([
      'score',
      ...['--from', `${folder}/bus`, '--topic', 'no-such-topic'],
      ...['--input', `${folder}/rows.ndjson`, '--output', `${folder}/none.ndjson`],
    ])
    expect(code).not.toBe(0)
    expect(stderr).toContain('no-such-topic')
  })
})

test('the program says its version', async () => {
  expect((await run(['--version'])).stdout.trim()).toBe(packageVersion())
})

test('a mistyped command or option ends with a sentence and exit code 2', async () => {
  const { code, stderr } = await run(['lern'])
  expect(code).toBe(2)
  expect(stderr).toContain("unknown command 'lern'")
  expect(stderr).not.toContain('    at ')
})

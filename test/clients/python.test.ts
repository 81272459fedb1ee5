/**
 * @file The Python client and the exports, run by real Python: pytest in clients/python on topics that this program wrote, against
 * the trainer's own scores for every kind of model. onnxruntime and the safetensors reader judge the exported files.
 */

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pythonEnvironment } from '../../scripts/python-environment.mjs'
import { openFileLog } from '../../src/broker/file-log/file-log.ts'
import { keyPair } from '../publish/keys.ts'
import { temporaryFolder } from '../topology/temporary-job.ts'
import { loggedTopic } from './logged-topic.ts'
import { featureVectors, MODELS, publishTopic, sampleRows } from './python-topics.ts'

let folder = ''

beforeAll(async () => {
  folder = temporaryFolder((remove) => afterAll(remove))
  mkdirSync(`${folder}/bus`)
  const log = await openFileLog({ path: `${folder}/bus` })
  const place = { folder, log, keys: keyPair() }
  const rows = sampleRows(40, 9)
  const topics: object[] = []
  for (const [topic, model] of MODELS) topics.push(await publishTopic(place, topic, model, rows))
  topics.push(await loggedTopic(place))
  writeFileSync(
    `${folder}/topics.json`,
    JSON.stringify([
      { ...topics[0], rows: rows.map(({ fields, time }) => ({ ...fields, time })) },
      ...topics.slice(1),
    ]),
  )
  writeFileSync(`${folder}/features.json`, JSON.stringify(featureVectors(folder, rows)))
  cpSync('test/publish/stored/format-1/records.txt', `${folder}/format-1.txt`)
  await log.close()
}, 120_000)

function python(args: readonly string[], cwd = 'clients/python') {
  const { program, packages } = pythonEnvironment()
  return spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: {
      ...process.env,
      PYTHONPATH: `${packages}:.`,
      PYTHONDONTWRITEBYTECODE: '1',
      MILLRACE_VECTORS: folder,
    },
  })
}

test('pytest passes: keys, scores of every kind of model, signatures, damage, decisions, exports', () => {
  const { status, stdout, stderr } = python([
    '-m',
    'pytest',
    '-q',
    '-p',
    'no:cacheprovider',
    'tests',
  ])
  expect(status, `${stdout}${stderr}`).toBe(0)
  expect(stdout).toMatch(/\b[3-9]\d passed|\b\d{3} passed/)
  expect(stdout).not.toMatch(/skipped|failed|error/)
}, 300_000)

test('the types are right (mypy --strict)', () => {
  const { status, stdout } = python([
    '-m',
    'mypy',
    '--no-incremental',
    '--cache-dir=/dev/null',
    'millrace_client',
  ])
  expect(status, stdout).toBe(0)
}, 120_000)

test('the schemas that come with the client are those of schemas/', () => {
  for (const name of ['model-update', 'model-update-deflated', 'model-control']) {
    const bundled = readFileSync(`clients/python/millrace_client/schemas/${name}.avsc`, 'utf8')
    expect(bundled).toBe(readFileSync(`schemas/${name}.avsc`, 'utf8'))
  }
})

test('python -m millrace_client score gives what millrace score gives', () => {
  const rows = `${folder}/rows.ndjson`
  const given = sampleRows(20, 3).map(({ fields, time }) => ({ ...fields, event_time: time }))
  writeFileSync(rows, given.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const output = `${folder}/scores.ndjson`
  const ran = python([
    '-m',
    'millrace_client',
    'score',
    '--from',
    `${folder}/bus`,
    '--topic',
    'mmoe',
    '--input',
    rows,
    '--output',
    output,
  ])
  expect(ran.stderr).toBe('')
  expect(ran.stdout).toMatch(/^scored 20 rows with version 3 of small/)
  expect(readFileSync(output, 'utf8').trim().split('\n')).toHaveLength(20)
}, 60_000)

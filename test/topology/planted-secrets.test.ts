/** @file Secrets that a job refers to are in nothing that Millrace writes or answers: output, errors, metrics, status, page, logs, reports, files. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { keyPair } from '../publish/keys.ts'
import { avro, type FakeRegistry, openFakeRegistry } from '../wire/fake-registry.ts'
import { type Ended, type Running, run, start } from './cli.ts'
import { jobText, temporaryFolder } from './temporary-job.ts'

/** Its signs are written otherwise in base64 and in addresses. */
const PLANTED = 'hunter2/planted+secret?'
const LOGIN = Buffer.from(`me:${PLANTED}`).toString('base64')
const { privatePem, publicPem } = keyPair()
const [, KEY_BODY = ''] = privatePem.split('\n')
/** What must not be seen: the secrets as they are, and as they travel. */
const FORMS = [
  PLANTED,
  encodeURIComponent(PLANTED),
  Buffer.from(PLANTED).toString('base64'),
  LOGIN,
  KEY_BODY,
]
const SECRETS = { PLANTED_PASSWORD: PLANTED, PLANTED_KEY: privatePem, PLANTED_TOKEN: PLANTED }
const IDS = { impressions: 1, clicks: 2, likes: 3 }

function expectNoSecret(text: string, where: string): void {
  expect(text, where).not.toBe('')
  for (const form of FORMS) expect(text.includes(form), `${where} has ${form}`).toBe(false)
}

/** Everything that a process says, as it comes. */
function listenTo({ process }: Running): () => string {
  let said = ''
  for (const stream of [process.stdout, process.stderr]) {
    stream?.on('data', (data) => (said += String(data)))
  }
  return () => said
}

/** The first group of the pattern in what the process says. */
function heard(said: () => string, pattern: RegExp): Promise<string> {
  return expect
    .poll(() => pattern.exec(said())?.[1] ?? '', { timeout: 60_000, interval: 50 })
    .not.toBe('')
    .then(() => pattern.exec(said())?.[1] ?? '')
}

/** Until there is a version. */
function untilReady(url: string): Promise<void> {
  const status = async (): Promise<number> => (await fetch(`${url}/readyz`)).status
  return expect.poll(status, { timeout: 60_000, interval: 50 }).toBe(200)
}

/** Answers with their headers, whatever their status. */
async function answer(url: string, init: RequestInit = {}): Promise<string> {
  const response = await fetch(url, init)
  return `${JSON.stringify([...response.headers])}\n${await response.text()}`
}

/** The first piece of a stream that does not end. */
async function beginning(url: string): Promise<string> {
  const response = await fetch(url)
  const reader = response.body?.getReader()
  const { value } = (await reader?.read()) ?? {}
  await reader?.cancel()
  return new TextDecoder().decode(value)
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

describe('on a broker that is not there', () => {
  /** A password from the environment; the broker refuses every connection. */
  function kafkaJob(folder: string): string {
    const bus = `bus: { kind: kafka, brokers: ['127.0.0.1:1'], sasl: { mechanism: plain, username: me, password: { from_env: PLANTED_PASSWORD } } }`
    return jobText(folder).replace(/^bus: .*$/m, bus)
  }

  test.each(['check', 'describe', 'doctor', 'run'])(
    'millrace %s does not give a password away, whether it works or fails',
    async (command) => {
      const folder = temporaryFolder()
      writeFileSync(`${folder}/job.yaml`, kafkaJob(folder))
      const running = start([command, `${folder}/job.yaml`], { environment: SECRETS })
      const timer = setTimeout(() => running.process.kill('SIGKILL'), 20_000)
      const ended: Ended = await running.ended
      clearTimeout(timer)
      expectNoSecret(ended.stdout + ended.stderr, command)
    },
    60_000,
  )
})

describe('alive', () => {
  const folder = temporaryFolder(afterAll)
  const job = `${folder}/job.yaml`
  let registry: FakeRegistry

  beforeAll(async () => {
    registry = await openFakeRegistry()
    registry.authorization = `Basic ${LOGIN}`
    for (const [i, name] of ['impression', 'click', 'like'].entries()) {
      registry.schemas.set(i + 1, avro(JSON.parse(readFileSync(`schemas/${name}.avsc`, 'utf8'))))
    }
    const framed = 'framing: confluent'
    const login = 'username: me, password: { from_env: PLANTED_PASSWORD }'
    const text = jobText(folder)
      .replace('http: { enabled: false }, log: silent', 'http: { port: 0 }, log: trace')
      .replace('full_every: 4', 'full_every: 4, signing_key: { from_env: PLANTED_KEY }')
    const produced = text.replace(
      'partitions: 2',
      `partitions: 2, ${framed}, schema_ids: ${JSON.stringify(IDS)}`,
    )
    const learned = text.replace(
      'partitions: 2',
      `partitions: 2, ${framed}, registry: { url: '${registry.url}', ${login}, patience_ms: 0 }`,
    )
    writeFileSync(`${folder}/producer.yaml`, produced)
    writeFileSync(job, learned)
    writeFileSync(`${folder}/public.pem`, publicPem)
    const args = ['produce', `${folder}/producer.yaml`, '--impressions', '2000']
    expect(await run(args)).toMatchObject({ code: 0 })
  }, 60_000)

  afterAll(() => registry.close())

  test('a learner that the registry refuses says so without its login', async () => {
    registry.authorization = 'Basic of somebody else'
    const ended = await start(['run', job, '--exit'], { environment: SECRETS }).ended
    registry.authorization = `Basic ${LOGIN}`
    expect(ended.code).toBe(6)
    expectNoSecret(ended.stdout + ended.stderr, 'the refusal')
  }, 60_000)

  test('a learner keeps password and signing key out of every answer, line, report and file', async () => {
    const report = `${folder}/report.json`
    const learner = start(['run', job, '--report', report], { environment: SECRETS })
    onTestFinished(() => void learner.process.kill('SIGKILL'))
    const said = listenTo(learner)
    const url = await heard(said, /"page":"([^"]+)"/)
    await untilReady(url)
    for (const path of ['/', '/page.js', '/status', '/metrics', '/history/10m', '/nowhere']) {
      expectNoSecret(await answer(`${url}${path}`), path)
    }
    expectNoSecret(await beginning(`${url}/stream`), '/stream')
    learner.process.kill('SIGTERM')
    expect(await learner.ended).toMatchObject({ code: 0 })
    expectNoSecret(said(), 'its lines')
    expectNoSecret(readFileSync(report, 'utf8'), 'its report')
    const written = [`${folder}/bus`, `${folder}/state`].flatMap(filesIn)
    expect(written.length).toBeGreaterThan(5)
    for (const file of written) expectNoSecret(`file ${readFileSync(file, 'latin1')}`, file)
  }, 120_000)

  test('a scorer keeps its token out of every answer and line, however wrong a request is', async () => {
    const model = ['--from', `${folder}/bus`, '--public-key', `${folder}/public.pem`]
    const args = [
      'serve',
      ...model,
      '--port',
      '0',
      '--log',
      'trace',
      '--token-env',
      'PLANTED_TOKEN',
    ]
    const scorer = start(args, { environment: SECRETS })
    onTestFinished(() => void scorer.process.kill('SIGKILL'))
    const said = listenTo(scorer)
    const url = await heard(said, /"url":"([^"]+)"/)
    await untilReady(url)
    const json = { 'content-type': 'application/json' }
    const right = { ...json, authorization: `Bearer ${PLANTED}` }
    const rows = JSON.stringify({ rows: [{ user_id: 'u1', event_time: 1_772_431_200_000 }] })
    const score = (headers: Record<string, string>, body: string): Promise<string> =>
      answer(`${url}/score`, { method: 'POST', headers, body })
    expect(await score(right, rows)).toContain('"scores"')
    for (const asked of [
      score(right, rows),
      score(right, 'no json'),
      score(right, '{"rows":[{}]}'),
      score({ authorization: `Bearer ${PLANTED}` }, rows),
      score({ ...json, authorization: `Bearer ${PLANTED}-and-more` }, rows),
      score(json, rows),
      answer(`${url}/metrics`),
      answer(`${url}/nowhere`, { headers: right }),
    ]) {
      expectNoSecret(await asked, 'an answer')
    }
    scorer.process.kill('SIGTERM')
    expect(await scorer.ended).toMatchObject({ code: 0 })
    expectNoSecret(said(), 'its lines')
  }, 120_000)

  test('decisions are signed without a word of the key, also by a key that is none', async () => {
    const pin = ['snapshot', 'pin', '1', '--from', `${folder}/bus`, '--signing-key-env']
    const signed = await start([...pin, 'PLANTED_KEY'], { environment: SECRETS }).ended
    expect(signed).toMatchObject({ code: 0 })
    expectNoSecret(signed.stdout + signed.stderr, 'a decision')
    const refused = await start([...pin, 'PLANTED_PASSWORD'], { environment: SECRETS }).ended
    expect(refused.code).not.toBe(0)
    expectNoSecret(refused.stdout + refused.stderr, 'a refusal')
  }, 60_000)
})

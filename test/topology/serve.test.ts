/** @file `millrace serve` on a file bus: the trainer's scores over HTTP, versions that come while it runs, a clean end. */

import { appendFileSync, readdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { TopicLog } from '../../src/broker/topic-log.ts'
import { FeatureEncoder } from '../../src/features/encode.ts'
import type { Job } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { openModelSource, type SourceOptions } from '../../topology/serve-source.ts'
import { chunksOf, smallTrainer } from '../publish/small-trainer.ts'
import { type Ended, start } from './cli.ts'
import { learnWhole } from './learn-whole.ts'
import { postRows, scorerOf } from './scorer-of.ts'
import { jobText, openJobLog, produceWorld, smallJob, temporaryFolder } from './temporary-job.ts'

const ROWS = Array.from({ length: 50 }, (_, i) => ({
  user_id: `u${i % 7}`,
  category: i % 2 === 0 ? 'music' : 'never seen before',
  tags: ['tag-1', `tag-${i}`],
  ...(i % 5 === 0 ? {} : { item_age_hours: i / 3 }),
  event_time: 1_772_431_200_000 + i * 1_000_000,
}))

interface Answer {
  readonly version: number
  readonly sha256: string
  readonly scores: readonly Record<string, number>[]
}

/** A scorer of what the options name. */
async function scorerOn(options: SourceOptions, environment: Record<string, string> = {}) {
  return scorerOf({ source: await openModelSource(options, environment) })
}

async function scoresFrom(url: string): Promise<Answer> {
  return (await (await postRows(url, ROWS)).json()) as Answer
}

/** Polls until the check passes: what happens next is decided by another process or the disk. */
async function eventually(check: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await check().catch(() => false)) return
    await sleep(50)
  }
  throw new Error('it did not happen within 15 s')
}

async function ready(url: string): Promise<void> {
  await eventually(async () => (await fetch(`${url}/readyz`)).status === 200)
}

/** Learns what is on the job's bus and publishes it. */
async function learned(job: Job, impressions = 1_500) {
  const log = await openJobLog(job)
  await produceWorld(job, log, impressions)
  const { stages } = await learnWhole({ job, log, engine: plainEngine('float32') })
  await log.close()
  return stages
}

describe('a scorer beside a learner', () => {
  test('scores exactly as the trainer does with the version that it names', async () => {
    const folder = temporaryFolder()
    const stages = await learned(smallJob(folder))
    const { url } = await scorerOn({ from: `${folder}/bus` })
    await ready(url)
    const { version, scores } = await scoresFrom(url)
    expect(version).toBe(stages.publisher.sequence)
    const encoder = new FeatureEncoder(stages.encoder.spec, stages.featureState)
    encoder.setStatistics(stages.encoder.statistics())
    const rows = ROWS.map((fields) => ({ fields, time: fields.event_time }))
    const expected = stages.learner.score(encoder.encode(rows))
    const found = ['click', 'like'].flatMap((task) => scores.map((row) => row[task] ?? NaN))
    expect(found).toEqual([...expected])
    expect(new Set(found).size).toBeGreaterThan(50)
  })

  test('on another engine than the trainer had, within the rounding of a float32, and says on which', async () => {
    const folder = temporaryFolder()
    const stages = await learned(smallJob(folder))
    const source = await openModelSource({ from: `${folder}/bus` }, {})
    const { url } = await scorerOf({ source, engine: 'wasm' })
    await ready(url)
    const { scores } = await scoresFrom(url)
    const rows = ROWS.map((fields) => ({ fields, time: fields.event_time }))
    const encoder = new FeatureEncoder(stages.encoder.spec, stages.featureState)
    encoder.setStatistics(stages.encoder.statistics())
    const expected = stages.learner.score(encoder.encode(rows))
    const found = ['click', 'like'].flatMap((task) => scores.map((row) => row[task] ?? NaN))
    const worst = Math.max(...found.map((score, i) => Math.abs(score - expected[i]!)))
    expect(worst).toBeLessThan(1e-6)
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toMatch(/millrace_engine_info\{engine="tfjs-wasm",reason="[^"]+"\} 1/)
  })

  test('finds bus, topic and model in the job file', async () => {
    const folder = temporaryFolder()
    const text = jobText(folder).replace('every_samples: 300', 'every_samples: 300, topic: weights')
    // A path may name a variable of the environment.
    writeFileSync(
      `${folder}/job.yaml`,
      text.replace(`path: ${folder}/bus`, `path: '\${PLACE}/bus'`),
    )
    const job = smallJob(folder)
    const stages = await learned({ ...job, publish: { ...job.publish, topic: 'weights' } })
    const { url } = await scorerOn({ job: `${folder}/job.yaml` }, { PLACE: folder })
    await ready(url)
    expect((await scoresFrom(url)).version).toBe(stages.publisher.sequence)
  })

  test('says which of --from and --job is missing or too much', async () => {
    for (const options of [{}, { from: 'bus', job: 'job.yaml' }]) {
      await expect(openModelSource(options, {})).rejects.toMatchObject({ code: 'USAGE' })
    }
  })

  test('a folder that is not there is an error that names it', async () => {
    await expect(openModelSource({ from: '/no/such/bus' }, {})).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringContaining('/no/such/bus'),
    })
  })
})

/** A model topic that a test writes to. */
async function modelTopic() {
  const folder = temporaryFolder()
  const log: TopicLog = await openJobLog(smallJob(folder))
  onTestFinished(() => log.close())
  const codec = openChunkCodec()
  const append = async (chunks: ReturnType<typeof chunksOf>): Promise<void> => {
    const key = new TextEncoder().encode('small')
    const records = chunks.map((chunk) => ({ key, value: codec.encode(chunk), timestampMs: 0 }))
    await log.append('model', records)
  }
  const create = () => log.createTopic({ topic: 'model', partitions: 1, cleanup: 'delete' })
  return { bus: `${folder}/bus`, log, append, create }
}

const versionOf = async (url: string): Promise<number> => {
  const answer = await postRows(url, [{ event_time: 0 }])
  return ((await answer.json()) as Answer).version
}

describe('a scorer beside a model topic', () => {
  test('waits for the topic, takes each version as it comes, and its metrics tell', async () => {
    const { bus, append, create } = await modelTopic()
    const { url, lines } = await scorerOn({ from: bus })
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    expect((await postRows(url, ROWS)).status).toBe(503)
    await create()
    const trainer = smallTrainer()
    for (let version = 1; version <= 3; version++) {
      await append(chunksOf(trainer.next()))
      await eventually(async () => (await versionOf(url)) === version)
    }
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toContain('millrace_scorer_model_version 3')
    expect(metrics).toContain('millrace_scorer_updates_applied_total 3')
    expect(metrics).toMatch(/millrace_scorer_requests_total\{status="503"\} [1-9]/)
    expect(metrics).toContain('millrace_scorer_staleness_seconds')
    expect(lines.join('')).toContain('cannot read the model topic, trying again')
    expect(lines.filter((line) => line.includes('version in use'))).toHaveLength(3)
  })

  test('a gap and bytes that are no chunk are refused, counted and logged; the last good version scores on', async () => {
    const { bus, log, append, create } = await modelTopic()
    await create()
    const { url, lines } = await scorerOn({ from: bus })
    const trainer = smallTrainer()
    const versions = Array.from({ length: 5 }, () => chunksOf(trainer.next()))
    await append(versions[0]!)
    await ready(url)
    await log.append('model', [
      { key: new Uint8Array(0), value: Uint8Array.of(1, 2, 3), timestampMs: 0 },
    ])
    await append(versions[2]!)
    await eventually(async () => lines.join('').includes('does not follow'))
    expect(await versionOf(url)).toBe(1)
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toContain('millrace_scorer_updates_refused_total{reason="malformed"} 1')
    expect(metrics).toContain('millrace_scorer_updates_refused_total{reason="gap"} 1')
    await append(versions[4]!)
    await eventually(async () => (await versionOf(url)) === 5)
  })

  test('follows one model of a topic by name', async () => {
    const { bus, append, create } = await modelTopic()
    await create()
    await append(chunksOf(smallTrainer().next()))
    const { url, lines } = await scorerOn({ from: bus, model: 'other' })
    await eventually(async () => lines.join('').includes('model small, following other'))
    expect((await postRows(url, ROWS)).status).toBe(503)
  })

  test('damage to the log does not end it: it reports, tries again and scores on', async () => {
    const { bus, append, create } = await modelTopic()
    await create()
    await append(chunksOf(smallTrainer().next()))
    const { url, lines } = await scorerOn({ from: bus })
    await ready(url)
    const partition = `${bus}/model/0`
    const segment = readdirSync(partition).find((file) => /^\d+/.test(file))
    appendFileSync(`${partition}/${segment}`, new Uint8Array(400).fill(0xee))
    await eventually(async () => lines.join('').includes('trying again'))
    expect(await versionOf(url)).toBe(1)
  })
})

describe('the command', () => {
  /** A scorer as a process, once it listens. */
  async function started(args: readonly string[], environment: Record<string, string> = {}) {
    const running = start(['serve', '--port', '0', ...args], { environment })
    let said = ''
    running.process.stderr?.on('data', (data) => {
      said += String(data)
    })
    await eventually(async () => /"url":"http/.test(said))
    return { ...running, url: /"url":"(http[^"]+)"/.exec(said)?.[1] ?? '' }
  }

  async function stopped(running: Awaited<ReturnType<typeof started>>): Promise<Ended> {
    running.process.kill('SIGTERM')
    return running.ended
  }

  test('asks for the token, never shows it, and drains on SIGTERM', async () => {
    const folder = temporaryFolder()
    await learned(smallJob(folder), 800)
    const running = await started(['--from', `${folder}/bus`, '--token-env', 'SCORER_TOKEN'], {
      SCORER_TOKEN: 'open-sesame',
    })
    await ready(running.url)
    expect((await postRows(running.url, ROWS)).status).toBe(401)
    const answer = await fetch(`${running.url}/score`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer open-sesame' },
      body: JSON.stringify({ rows: ROWS }),
    })
    expect(answer.status).toBe(200)
    const ended = await stopped(running)
    expect(ended, ended.stderr).toMatchObject({ code: 0, signal: null })
    expect(ended.stderr).toContain('draining')
    expect(ended.stderr + ended.stdout).not.toContain('sesame')
  })

  test('warns when everybody may score, and reads a token from a file', async () => {
    const folder = temporaryFolder()
    await openJobLog(smallJob(folder)).then((log) => log.close())
    writeFileSync(`${folder}/token`, 'from-a-file\n')
    const from = ['--from', `${folder}/bus`, '--host', '0.0.0.0']
    const open = await stopped(await started(from))
    expect(open.stderr).toContain('no token was given')
    const guarded = await started([...from, '--token-file', `${folder}/token`])
    expect((await postRows(guarded.url, ROWS)).status).toBe(401)
    expect((await stopped(guarded)).stderr).not.toContain('no token was given')
  })

  test.each([
    [['--from', 'x', '--job', 'y'], 2, {}, 'cannot be used with option'],
    [['--from', '/no/such/bus'], 6, {}, '/no/such/bus'],
    [['--from', '.', '--token-env', 'NO_SUCH_TOKEN'], 3, {}, 'NO_SUCH_TOKEN is not set'],
    [['--from', '.', '--token-env', 'EMPTY'], 3, { EMPTY: '' }, 'the bearer token is empty'],
    [['--from', '.', '--max-rows', '0'], 2, {}, 'whole number above 0'],
    [[], 2, {}, 'give one of --from and --job'],
  ])('%j ends with exit code %i and a sentence', async (args, expected, environment, sentence) => {
    const { code, stderr } = await start(['serve', ...args], { environment }).ended
    expect(code).toBe(expected)
    expect(stderr).toContain(sentence)
    expect(stderr).not.toContain('    at ')
  })
})

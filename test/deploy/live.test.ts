/**
 * @file The trial deployment without docker: the commands of docker-compose.yml against a real broker, and a real Prometheus
 * with the shipped rules that looks at them. Every rule and every panel must find what it asks for.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { type RealBroker, withBroker } from '../kafka/real-broker.ts'
import { type Running, start } from '../topology/cli.ts'
import { temporaryFolder } from '../topology/temporary-job.ts'
import { writtenCompose } from './compose-file.ts'
import { alerts, panelQueries, rules } from './rules.ts'

const prometheus = spawnSync('prometheus', ['--version']).status === 0
if (!prometheus)
  console.error('\n*** SKIPPED: prometheus is absent (Debian package prometheus) ***\n')

/** Panels that show nothing while this job runs well. */
const EMPTY_WHEN_WELL: ReadonlySet<string> = new Set([
  'Conflict between tasks', // equal weights compare no gradients
  'Rows given up', // tables without bounds
  'Keys without a row', // every key is admitted
  // No arm of an A/B test.
  'Samples per arm',
  'AUC per arm',
  'Normalised entropy per arm',
  'Calibration per arm',
  // No version in the shadow.
  'Distance to the shadow',
  'Shadow over answer',
  'Version in the shadow',
])

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Polls until the check passes: other processes decide when. */
async function eventually(what: string, check: () => Promise<boolean>): Promise<void> {
  for (const until = performance.now() + 100_000; performance.now() < until; ) {
    if (await check().catch(() => false)) return
    await sleep(250)
  }
  throw new Error(`${what}: not within 100 s`)
}

interface Deployment {
  readonly learner: Running
  readonly scorer: Running
  readonly producer: Running
  readonly scorerUrl: string
  readonly prometheusUrl: string
  readonly watcher: ChildProcess
}

/** The services' commands with the paths, ports and versions of a test in the place of the container's. */
async function deploy({ brokers }: RealBroker, folder: string): Promise<Deployment> {
  const [learnerPort, scorerPort, prometheusPort] = await Promise.all([1, 2, 3].map(freePort))
  const job = readFileSync('examples/kafka/job.yaml', 'utf8')
    .replaceAll('../../schemas', resolve('schemas'))
    .replace('host: 0.0.0.0, port: 9464', `host: 127.0.0.1, port: ${learnerPort}`)
    .replace('every_samples: 10000', 'every_samples: 1000')
  writeFileSync(`${folder}/job.yaml`, job)
  const { services } = writtenCompose()
  const commandOf = (service: string): string[] =>
    (services[service]?.command ?? [])
      .map((word) => word.replace('/app/examples/kafka', folder).replace('0.0.0.0', '127.0.0.1'))
      .map((word) => (word === '8501' ? String(scorerPort) : word === '500' ? '4000' : word))
  const environment = { KAFKA_BROKERS: brokers.join(',') }
  const begin = (service: string): Running =>
    start(commandOf(service), { cwd: folder, environment })
  return {
    learner: begin('learner'),
    scorer: begin('scorer'),
    producer: begin('producer'),
    scorerUrl: `http://127.0.0.1:${scorerPort}`,
    prometheusUrl: `http://127.0.0.1:${prometheusPort}`,
    watcher: watch(folder, { learnerPort, scorerPort, prometheusPort }),
  }
}

/** Prometheus with the shipped configuration, other targets and a quicker pace. */
function watch(folder: string, ports: Record<string, number | undefined>): ChildProcess {
  const config = parse(readFileSync('deploy/prometheus/prometheus.yml', 'utf8'))
  config.global = { scrape_interval: '1s', evaluation_interval: '1s' }
  const targets: Record<string, number | undefined> = {
    'millrace-learner': ports.learnerPort,
    'millrace-scorer': ports.scorerPort,
    prometheus: ports.prometheusPort,
  }
  for (const job of config.scrape_configs) {
    job.static_configs = [{ targets: [`127.0.0.1:${targets[job.job_name]}`] }]
  }
  writeFileSync(`${folder}/prometheus.yml`, stringify(config))
  cpSync('deploy/prometheus/rules', `${folder}/rules`, { recursive: true })
  return spawn(
    'prometheus',
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/tsdb`,
      `--web.listen-address=127.0.0.1:${ports.prometheusPort}`,
    ],
    { stdio: 'ignore' },
  )
}

interface QueryAnswer {
  readonly status: string
  readonly error?: string
  readonly data?: { readonly result: readonly unknown[] }
}

describe.skipIf(!prometheus && !process.env.CI)('the deployment', () => {
  withBroker('on a real broker', {}, (broker) => {
    let running: Deployment
    beforeAll(async () => {
      running = await deploy(broker, temporaryFolder(afterAll))
    })
    afterAll(async () => {
      for (const one of [running.producer, running.scorer, running.learner]) {
        one.process.kill('SIGKILL')
        await one.ended
      }
      running.watcher.kill('SIGKILL')
    })

    async function query(expr: string): Promise<QueryAnswer> {
      const body = new URLSearchParams({ query: expr })
      const answer = await fetch(`${running.prometheusUrl}/api/v1/query`, { method: 'POST', body })
      return (await answer.json()) as QueryAnswer
    }

    const found = async (expr: string): Promise<boolean> =>
      ((await query(expr)).data?.result.length ?? 0) > 0

    test('the producer’s events become samples, versions and scores', async () => {
      await eventually('a scorer with a version', async () => {
        return (await fetch(`${running.scorerUrl}/readyz`)).status === 200
      })
      const answer = await fetch(`${running.scorerUrl}/score`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ rows: [{ user_id: 'u1', item_id: 'i1', event_time: 1.77e12 }] }),
      })
      expect(await answer.json()).toMatchObject({
        version: expect.any(Number),
        scores: [
          { click: expect.any(Number), like: expect.any(Number), share: expect.any(Number) },
        ],
      })
    })

    test('Prometheus reaches both and evaluates every rule', async () => {
      await eventually('both are up', () => found('sum(up{job=~"millrace-.*"}) == 2'))
      const answer = await fetch(`${running.prometheusUrl}/api/v1/rules`)
      const { data } = (await answer.json()) as {
        data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] }
      }
      const evaluated = data.groups.flatMap((group) => group.rules)
      expect(evaluated.length).toBe(rules().length)
      expect(evaluated.filter(({ health }) => health === 'err')).toEqual([])
    })

    test('every panel shows something', async () => {
      const missing = async (): Promise<string[]> => {
        const without: string[] = []
        for (const { title, expr } of panelQueries()) {
          const answer = await query(expr)
          expect(answer.status, `${title}: ${answer.error}`).toBe('success')
          if ((answer.data?.result.length ?? 0) === 0) without.push(title)
        }
        return without.filter((title) => !EMPTY_WHEN_WELL.has(title))
      }
      await eventually('every panel', async () => (await missing()).length === 0).catch(
        () => undefined,
      )
      expect(await missing()).toEqual([])
    })

    test('every alert can be asked for, and none of those that mean harm is on its way', async () => {
      for (const { alert, expr } of alerts()) {
        expect((await query(expr)).status, alert).toBe('success')
      }
      const harmful = 'MillraceAccountingBroken|MillraceUpdatesRefused|MillraceScorerWithoutModel'
      expect(await found(`ALERTS{alertname=~"${harmful}|Millrace.*Down"}`)).toBe(false)
    })

    test('learner and scorer end cleanly on SIGTERM', async () => {
      for (const one of [running.scorer, running.learner]) {
        one.process.kill('SIGTERM')
        const ended = await one.ended
        expect(ended, ended.stderr).toMatchObject({ code: 0 })
      }
    })
  })
})

/**
 * @file A learner that events come to faster than it can learn: its memory stays flat, what waits is visible, nothing is dropped.
 * Short as it stands; `npm run soak` runs ten minutes and keeps what it measured in SOAK_RESULTS.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { thisCommit, thisMachine } from '../../bench/machine.ts'
import { resultOf } from '../../bench/result.ts'
import { openFileLog } from '../../src/broker/file-log/file-log.ts'
import { type Ended, type Running, start } from './cli.ts'
import { temporaryFolder } from './temporary-job.ts'

const SECONDS = Number(process.env.SOAK_SECONDS ?? 12)
/** Deliveries per second. The short form asks for more than any machine makes, so what is made is far more than is learned. */
const PER_SECOND = Number(process.env.SOAK_PER_SECOND ?? 1_000_000)
/** Measured after this part of the run: the tables know every user, the dedupe window is full, the code is compiled. */
const SETTLED = 0.4
const MIB = 2 ** 20

/** The simulated job, with bounds that are reached within the run. */
function jobText(folder: string, port: number): string {
  return readFileSync('examples/simulated/job.yaml', 'utf8')
    .replaceAll('../../schemas', `${process.cwd()}/schemas`)
    .replace('path: .millrace/simulated/bus', `path: ${folder}/bus`)
    .replace('idle_ms: 30000', 'dedupe: { within_ms: 60000, max_ids: 100000 }\n  idle_ms: 30000')
    .replace('train:\n', `train:\n  engine: wasm\n  state: ${folder}/state\n`)
    .concat(`observe: { http: { port: ${port} }, predictions: 20000 }\n`)
}

interface Sample {
  /** Since the start of the learner. */
  readonly seconds: number
  readonly residentBytes: number
  readonly lag: number
  readonly eventsIn: number
  readonly samples: number
  /** How long /metrics took. */
  readonly answerMs: number
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Resolves when the learner answers. */
async function answers(learner: Running, url: string): Promise<void> {
  for (;;) {
    const answered = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    )
    if (answered) return
    if (learner.process.exitCode !== null) throw new Error((await learner.ended).stderr)
    await sleep(20)
  }
}

async function look(url: string, pid: number, began: number): Promise<Sample> {
  const asked = performance.now()
  const text = await (await fetch(url)).text()
  const answerMs = performance.now() - asked
  const sum = (name: string): number =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
      (total, [, value]) => total + Number(value),
      0,
    )
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return {
    seconds: (performance.now() - began) / 1_000,
    residentBytes: Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024,
    lag: sum('millrace_consumer_lag_records'),
    eventsIn: sum('millrace_events_total'),
    samples: sum('millrace_samples_total'),
    answerMs,
  }
}

/** Least squares, y per unit of x. */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((a, b) => a + b, 0) / values.length
  const [x, y] = [mean(points.map(([a]) => a)), mean(points.map(([, b]) => b))]
  const covariance = mean(points.map(([a, b]) => (a - x) * (b - y)))
  return covariance / mean(points.map(([a]) => (a - x) ** 2))
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
}

/** Records on the event topics. */
async function produced(folder: string): Promise<number> {
  const log = await openFileLog({ path: `${folder}/bus`, access: 'read-only' })
  let records = 0
  for (const topic of ['impressions', 'clicks', 'likes', 'shares']) {
    for (const { latest } of await log.bounds(topic)) records += latest
  }
  await log.close()
  return records
}

/** Producer and learner side by side for so long; gives what was seen of the learner, once a second or more often. */
async function overload(folder: string, url: string): Promise<Sample[]> {
  const job = `${folder}/job.yaml`
  const producer = start(['produce', job, '--per-second', String(PER_SECOND)])
  onTestFinished(() => void producer.process.kill('SIGKILL'))
  const learner = start(['run', job], {
    preload: 'test/topology/event-loop-delay.mjs',
    environment: {
      EVENT_LOOP_DELAY: `${folder}/delay.json`,
      EVENT_LOOP_DELAY_AFTER_MS: String(SECONDS * SETTLED * 1_000),
    },
  })
  onTestFinished(() => void learner.process.kill('SIGKILL'))
  await answers(learner, url)
  const began = performance.now()
  const seen: Sample[] = []
  while (performance.now() - began < SECONDS * 1_000) {
    seen.push(await look(url, learner.process.pid ?? 0, began))
    await sleep(Math.min(1_000, SECONDS * 10))
  }
  await stopped(producer)
  // The figures of the metrics are those of the last epoch: one that began after the producer had ended knows of all its records.
  const all = await produced(folder)
  let last = await look(url, learner.process.pid ?? 0, began)
  for (let tries = 0; tries < 600 && last.eventsIn + last.lag < all; tries++) {
    await sleep(50)
    last = await look(url, learner.process.pid ?? 0, began)
  }
  seen.push(last)
  await stopped(learner)
  return seen
}

async function stopped(running: Running): Promise<Ended> {
  running.process.kill('SIGTERM')
  const ended = await running.ended
  expect(ended, ended.stderr).toMatchObject({ code: 0 })
  return ended
}

test(`${SECONDS} s of more events than can be learned: flat memory, visible lag, nothing dropped`, {
  timeout: SECONDS * 1_500 + 240_000,
}, async () => {
  const folder = temporaryFolder()
  const port = await freePort()
  writeFileSync(`${folder}/job.yaml`, jobText(folder, port))
  const seen = await overload(folder, `http://127.0.0.1:${port}/metrics`)
  const settled = seen.filter(({ seconds }) => seconds > SECONDS * SETTLED)
  expect(settled.length).toBeGreaterThan(5)
  const perSecond = slope(settled.map((one) => [one.seconds, one.residentBytes]))
  const resident = quantile(
    settled.map((one) => one.residentBytes),
    0.5,
  )
  const last = seen.at(-1)
  const all = await produced(folder)
  const delay = JSON.parse(readFileSync(`${folder}/delay.json`, 'utf8'))
  const answered = settled.map(({ answerMs }) => answerMs)
  const found = {
    resident_mib: resident / MIB,
    growth_mib_per_min: (perSecond * 60) / MIB,
    lag: last?.lag ?? 0,
    dropped: all - (last?.eventsIn ?? 0) - (last?.lag ?? 0),
    samples: last?.samples ?? 0,
    records: all,
    event_loop_p99_ms: delay.p99,
    metrics_p99_ms: quantile(answered, 0.99),
  }
  console.log(JSON.stringify(found))
  keep(found)
  // More came than was learned, it shows, and it is all there.
  expect(found.lag).toBeGreaterThan(found.records / 10)
  expect(found.samples).toBeGreaterThan(0)
  expect(found.dropped).toBe(0)
  // Over a run the growth must be small beside what is held; a short one is mostly noise.
  expect(perSecond * SECONDS * (1 - SETTLED)).toBeLessThan(resident * (SECONDS < 120 ? 0.5 : 0.05))
})

/** Writes the figures where SOAK_RESULTS says. */
function keep(found: Readonly<Record<string, number>>): void {
  const file = process.env.SOAK_RESULTS
  if (file === undefined) return
  const figure = (label: string, unit: string, name: string, target?: number) => ({
    label,
    unit,
    rounds: [found[name] ?? Number.NaN],
    better: 'lower' as const,
    ...(target === undefined ? {} : { target }),
  })
  const result = resultOf(
    {
      figures: [
        figure('growth of resident memory', 'MiB/min', 'growth_mib_per_min', 1),
        figure('event-loop delay while learning, p99', 'ms', 'event_loop_p99_ms', 50),
        figure('/metrics under load, p99', 'ms', 'metrics_p99_ms', 100),
        figure('resident memory, median', 'MiB', 'resident_mib'),
      ],
      facts: {
        seconds: SECONDS,
        deliveries_per_second: PER_SECOND,
        records: found.records ?? 0,
        samples_learned: found.samples ?? 0,
        waiting_at_the_end: found.lag ?? 0,
        dropped: found.dropped ?? Number.NaN,
      },
    },
    {
      name: 'soak',
      summary: 'A learner that events come to faster than it can learn them, on the embedded log.',
      command: 'npm run soak',
      measured_on: new Date().toISOString().slice(0, 10),
      commit: thisCommit(),
      machine: thisMachine(),
    },
  )
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`)
}

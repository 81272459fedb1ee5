/**
 * @file Law 2 without luck, at the broker: a small job dies at every single await of the log (before the call, in the middle of an
 * append, before the answer), is opened again, and leaves what it leaves when it is never stopped.
 */

import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { lastValueFrom } from 'rxjs'
import { expect, test } from 'vitest'
import { openFileLog } from '../../src/broker/file-log/file-log.ts'
import { randomFrom } from '../../src/random.ts'
import { parseJob } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { learnerEpochs } from '../../topology/learner.ts'
import { openLearner } from '../../topology/open-learner.ts'
import { CrashCount, writeCrashRow } from '../crash-table.ts'
import { crashingLog } from './crashing-log.ts'
import { recordsOf, type SideOutcome, sideOutcomes } from './outcome.ts'
import { frozenClock, openJobLog, produceWorld, temporaryFolder } from './temporary-job.ts'
import { TIGHT_TOMBSTONES, tightFastJob, tightJob } from './tight-job.ts'
import { appendTombstones } from './tombstones.ts'

const IMPRESSIONS = 150
const SEED = Number(process.env.CRASH_SEED ?? 19)
/** Runs that crash in their first life and again in their second. */
const TWICE = 40
/** Runs of the job with fast emission, each dead at one of so many first awaits. */
const FAST = 15
const FAST_POINTS = 150

const engine = plainEngine('float32')

type JobText = (folder: string) => string

/** What a finished run left. */
interface Left {
  readonly state: string
  readonly samples: number
  readonly figures: unknown
  /** sha256 of the bytes of every version, by sequence. */
  readonly versions: Readonly<Record<number, string>>
  readonly sides: Readonly<Record<string, SideOutcome>>
}

/** A life in the folder that dies at the point, or ends; gives how many points it passed and where it died. */
async function live(folder: string, at: number, text: JobText) {
  const job = parseJob(`${folder}/job.yaml`, text(folder))
  const inner = await openFileLog({ path: `${folder}/bus`, fsync: 'never' })
  const { log, crashed, points, settled } = crashingLog(inner, at)
  const options = { job, log, engine, clock: frozenClock, report: () => undefined }
  const opening = openLearner(options)
  const running = opening.then(async (learner) => {
    await learner.source.endHere()
    await lastValueFrom(learnerEpochs(learner.run))
    const { stages } = learner.run.context
    return {
      state: learner.run.stateHash(),
      samples: stages.learner.samples,
      figures: stages.predictions.report(job.train.report_skip),
      close: () => learner.close(),
    }
  })
  const ended = await Promise.race([running, crashed])
  if (typeof ended !== 'string') await ended.close()
  // What the disk had been given is on it, whether anybody hears of it or not.
  await (await Promise.race([opening, crashed.then(() => undefined)]))?.run.saved()
  // What was under way in the log when the process died is over before the next one looks.
  await settled()
  await nextTurn()
  await inner.close()
  const state = join(folder, 'state')
  for (const name of existsSync(state) ? readdirSync(state) : []) {
    if (name.startsWith('writer.')) rmSync(join(state, name))
  }
  return { ended, points: points() }
}

/** Lives of one run, the last of which is not stopped. */
async function leftAfter(
  source: string,
  crashes: readonly number[],
  text: JobText = tightJob,
): Promise<Left> {
  // In memory where there is such a folder: a process that dies takes nothing from the page cache with it.
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'millrace-'))
  try {
    cpSync(`${source}/bus`, `${folder}/bus`, { recursive: true })
    for (const at of crashes) {
      const { ended } = await live(folder, at, text)
      if (typeof ended !== 'string') break
    }
    const { ended } = await live(folder, 0, text)
    if (typeof ended === 'string') throw new Error(`died at ${ended}`)
    const { state, samples, figures } = ended
    return { state, samples, figures, ...(await outputsIn(folder)) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The bytes of every version, and the side outputs. */
async function outputsIn(folder: string): Promise<Pick<Left, 'versions' | 'sides'>> {
  const log = await openFileLog({ path: `${folder}/bus`, access: 'read-only' })
  const codec = openChunkCodec()
  const bodies = new Map<number, ReturnType<typeof createHash>>()
  const versions: Record<number, string> = {}
  for (const { value } of await recordsOf(log, 'model')) {
    const decoded = codec.decode(value)
    if (decoded.kind !== 'chunk') throw new Error(decoded.reason)
    const { sequence, chunk, chunks, body } = decoded.chunk
    if (chunk === 0) bodies.set(sequence, createHash('sha256'))
    const hash = bodies.get(sequence)?.update(body)
    if (hash === undefined || chunk + 1 < chunks) continue
    const found = hash.digest('hex')
    expect(versions[sequence] ?? found, `version ${sequence} has one content`).toBe(found)
    versions[sequence] = found
  }
  const sides = await sideOutcomes(log)
  await log.close()
  return { versions, sides }
}

/** A folder with the events of a small world, and tombstones among them. */
async function eventsOf(text: JobText): Promise<string> {
  const source = temporaryFolder()
  const job = parseJob(`${source}/job.yaml`, text(source))
  const log = await openJobLog(job)
  await produceWorld(job, log, IMPRESSIONS)
  await appendTombstones(job, log, TIGHT_TOMBSTONES)
  await log.close()
  return source
}

test(`dead at every await of the log, or at two of them, the learner ends as if never stopped (seed ${SEED})`, async () => {
  const source = await eventsOf(tightJob)
  const expected = await leftAfter(source, [])
  expect(Object.keys(expected.versions).length).toBeGreaterThan(2)

  const counting = temporaryFolder()
  cpSync(`${source}/bus`, `${counting}/bus`, { recursive: true })
  const { points } = await live(counting, 0, tightJob)
  expect(points).toBeGreaterThan(100)
  const once = new CrashCount(expected)
  for (let at = 1; at <= points; at++) {
    const found = await leftAfter(source, [at])
    once.add(1, found)
    expect.soft(found, `died at ${at} of ${points}`).toEqual(expected)
  }
  const random = randomFrom(SEED)
  const twice = new CrashCount(expected)
  for (let i = 0; i < TWICE; i++) {
    const crashes = [1 + random.integer(points), 1 + random.integer(points)]
    const found = await leftAfter(source, crashes)
    twice.add(2, found)
    expect.soft(found, `died at ${crashes} of ${points}`).toEqual(expected)
  }
  writeCrashRow('stopped at every await of the log', once.row)
  writeCrashRow('stopped at two awaits of the log', twice.row)
  console.log(`${points} points: ${JSON.stringify([once.row, twice.row])}, state ${expected.state}`)
}, 900_000)

test(`so it does when impressions are learned from at once (seed ${SEED})`, async () => {
  const source = await eventsOf(tightFastJob)
  const expected = await leftAfter(source, [], tightFastJob)
  expect(expected.samples).toBeGreaterThan(IMPRESSIONS)
  const random = randomFrom(SEED)
  for (let i = 0; i < FAST; i++) {
    const at = 1 + random.integer(FAST_POINTS)
    expect.soft(await leftAfter(source, [at], tightFastJob), `died at ${at}`).toEqual(expected)
  }
}, 300_000)

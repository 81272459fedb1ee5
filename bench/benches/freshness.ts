/** @file How old a model is when somebody scores with it: from the end of a sample's window to a follower in another process. */

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { lastValueFrom } from 'rxjs'
import { MillraceError } from '../../src/errors.ts'
import { openEngine } from '../../src/tensors/engine-choice.ts'
import { openBus } from '../../topology/bus.ts'
import { createEventTopics } from '../../topology/event-inputs.ts'
import { learnerEpochs } from '../../topology/learner.ts'
import { WHOLE_JOB } from '../../topology/learner-role.ts'
import { openLearner } from '../../topology/open-learner.ts'
import type { Bench, BenchContext, Measured } from '../bench.ts'
import { median, quantile } from '../harness.ts'
import { PeerProcess } from '../peer-process.ts'
import { simulatedJob, wallClock } from '../simulated.ts'

const EVENTS_PER_SECOND = 5_000
const PUBLISH_MS = 500
/** How far events may come out of order; every sample waits for that after its window. */
const LATENESS_MS = 100
const WINDOWS_MS = { click: 2_000, like: 3_000, share: 5_000 }
/** Until the windows are full and the compiler is done, then what is measured. */
const WARM_SECONDS = 15
const SECONDS = 30

export const freshnessBench: Bench = {
  name: 'freshness',
  summary: `At ${EVENTS_PER_SECOND} events/s and a version every ${PUBLISH_MS} ms: from the end of a sample's window until a follower in another process scores with it.`,
  peers: [],
  run: measure,
}

/** A version as the follower saw it. */
export interface SeenVersion {
  readonly sequence: number
  /** Event time up to which samples are in it; event time is wall-clock time here. */
  readonly watermarkMs: number
  /** When the follower had scored with it. */
  readonly scoredAtMs: number
}

async function measure({ folder, say }: BenchContext): Promise<Measured> {
  const { engine, name } = await openEngine('auto')
  const path = join(folder, 'bus')
  const job = freshnessJob(path, join(folder, 'state'))
  const log = await openBus(job.bus)
  await createEventTopics(job, log)
  const other = (file: string): PeerProcess => {
    const script = fileURLToPath(new URL(`../${file}.js`, import.meta.url))
    return new PeerProcess(process.execPath, [script, path], folder)
  }
  const follower = other('freshness-follower')
  const producer = other('freshness-producer')
  const report = (): void => undefined
  const learner = await openLearner({ job, log, engine, clock: wallClock, role: WHOLE_JOB, report })
  const ended = lastValueFrom(learnerEpochs(learner.run))
  await producer.ask('start')
  await sleep(WARM_SECONDS * 1000)
  await follower.ask<SeenVersion[]>('versions')
  say('warm')
  await sleep(SECONDS * 1000)
  const versions = await follower.ask<SeenVersion[]>('versions')
  const { appended } = await producer.ask<{ appended: number }>('stop')
  learner.run.stop()
  await ended
  await learner.close()
  await Promise.all([follower.close(), producer.close(), log.close()])
  const ages = agesOf(versions)
  const rate = appended / (WARM_SECONDS + SECONDS)
  if (rate < 0.9 * EVENTS_PER_SECOND) {
    throw new MillraceError('BAD_STATE', `the producer made ${Math.round(rate)} events/s only`)
  }
  return {
    figures: [
      {
        label: 'age of a sample when a follower scores with it, p99',
        unit: 'ms',
        rounds: [quantile(ages, 0.99)],
        better: 'lower',
        target: 1_000,
      },
      { label: 'the same, median', unit: 'ms', rounds: [median(ages)], better: 'lower' },
    ],
    versions: { engine: name },
    facts: {
      'events per second': Math.round(rate),
      versions: versions.length,
      'publish.every_ms': PUBLISH_MS,
      'events.lateness_ms': LATENESS_MS,
      'longest window, ms': WINDOWS_MS.share,
    },
  }
}

/** The age of every sample, one for each millisecond of maturity: each is in the first version whose watermark reached it. */
export function agesOf(versions: readonly SeenVersion[]): number[] {
  const ages: number[] = []
  for (const [index, version] of versions.entries()) {
    const before = versions[index - 1]
    if (before === undefined) continue
    for (let at = before.watermarkMs + 1; at <= version.watermarkMs; at++) {
      ages.push(version.scoredAtMs - at)
    }
  }
  return ages
}

function freshnessJob(path: string, state: string) {
  const job = simulatedJob({
    bus: { kind: 'file', path, partitions: 2 },
    join: {
      tasks: Object.entries(WINDOWS_MS).map(([task, window_ms]) => ({ name: task, window_ms })),
    },
    publish: { every_samples: 1_000_000_000, every_ms: PUBLISH_MS, full_every: 1_000 },
    observe: { http: { enabled: false }, log: 'silent' },
  })
  const { events, train } = job
  return { ...job, events: { ...events, latenessMs: LATENESS_MS }, train: { ...train, state } }
}

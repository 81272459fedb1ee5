/** @file A joiner that was replaced and does not know: what it still writes is dropped, and it stops when it hears of it. */

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import type { OutgoingRecord, Position, TopicLog } from '../../src/broker/topic-log.ts'
import { randomFrom } from '../../src/random.ts'
import type { Job } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { JoinerRun, type ShardChange } from '../../topology/joiner-run.ts'
import { trainerRole } from '../../topology/learner-role.ts'
import { expectOracle, toTheEnd } from './joiner-churn.ts'
import { learnWhole } from './learn-whole.ts'
import { frozenClock, produceWorld, smallJob, temporaryFolder } from './temporary-job.ts'
import { oracleSamples, writtenSamples } from './whole-samples.ts'

const SEEDS = [1, 2, 3, 4, 5, 6]

/** A log whose appends to one topic can be held in the network. */
class SlowNetwork {
  readonly log: TopicLog
  #held: Promise<void> = Promise.resolve()
  #release: () => void = () => undefined
  #waiting = 0

  constructor(log: TopicLog, topic: string) {
    const append = async (
      to: string,
      records: readonly OutgoingRecord[],
    ): Promise<readonly Position[]> => {
      if (to === topic) {
        this.#waiting += 1
        await this.#held
        this.#waiting -= 1
      }
      return log.append(to, records)
    }
    this.log = new Proxy(log, {
      get: (target, name) => {
        if (name === 'append') return append
        const value = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  release(): void {
    this.#release()
  }

  get holds(): boolean {
    return this.#waiting > 0
  }
}

function jobFor(): Job {
  const job = smallJob(temporaryFolder())
  return { ...job, train: { ...job.train, epoch_records: 20 } }
}

/** Rounds until one hangs in the network. */
async function untilHeld(run: JoinerRun, network: SlowNetwork): Promise<Promise<boolean>[]> {
  for (;;) {
    let more: boolean | undefined
    const round = run.round().then((result) => {
      more = result
      return result
    })
    while (more === undefined && !network.holds) await sleep(1)
    if (network.holds) return [round]
    if (more === false) throw new Error('the stream ended before any round hung')
  }
}

for (const seed of SEEDS) {
  test(`a replaced joiner adds copies at most, and is fenced (seed ${seed})`, async () => {
    const random = randomFrom(seed)
    const log = new MemoryLog()
    const job = jobFor()
    await produceWorld(job, log, 1_200, seed)
    const network = new SlowNetwork(log, job.samples.topic)
    const changes: ShardChange[] = []
    const options = { job, clock: frozenClock, untilEnd: true }
    const old = await JoinerRun.open({
      ...options,
      log: network.log,
      onChange: (change) => void changes.push(change),
    })
    for (let rounds = 3 + random.integer(12); rounds > 0; rounds--) await old.round()
    expect(changes.map(({ change }) => change)).toEqual(['taken', 'taken'])

    // It decides an epoch, journals it, and its samples hang in the network when it is thought dead.
    network.hold()
    const stuck = await untilHeld(old, network)
    log.group('small.joiner').evict('member-000000')
    const next = await JoinerRun.open({ ...options, log })
    for (let rounds = 1 + random.integer(20); rounds > 0; rounds--) await next.round()
    network.release()
    await Promise.all(stuck)
    await old.round()
    expect(changes.slice(2).map(({ change }) => change)).toContain('fenced')
    expect(old.shards).toEqual([])
    await old.close()
    await toTheEnd(next)

    const copies = await expectOracle(job, log)
    const written = await writtenSamples(job, log)
    const expected = written.flat().length - copies
    const learned = (await oracleSamples(job, log)).flat().length
    const engine = plainEngine('float32')
    const { stages } = await learnWhole({ job, log, engine, role: trainerRole() })
    expect(stages.learner.samples).toBe(learned)
    expect(stages.intake.accounting()).toMatchObject([{ duplicates: copies, joined: expected }])
    console.log(`seed ${seed}: ${copies} copies dropped of ${expected} samples`)
  })
}

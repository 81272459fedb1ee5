/** @file The comparison: trains what the learner would train, on the same samples, and hides no loser. */

import { readFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { BALANCERS } from '../../src/balance/balancers.ts'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import { MODELS } from '../../src/model/models.ts'
import { loadJob } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { World } from '../../src/world/world.ts'
import { worldOptions } from '../../src/world/world-options.ts'
import { type CompareCommand, compareCommand } from '../../topology/compare-command.ts'
import { prepare } from '../../topology/compare-data.ts'
import { configurationsOf, GROUPS } from '../../topology/compare-list.ts'
import { leaderboardPage } from '../../topology/compare-page.ts'
import { type Outcome, trainOnce } from '../../topology/compare-run.ts'
import { learnWhole } from './learn-whole.ts'
import { frozenClock, produceWorld, smallJob, temporaryFolder } from './temporary-job.ts'

const IMPRESSIONS = 900

function smallWorld(): World {
  return new World(worldOptions.parse({ seed: 1, impressions: IMPRESSIONS, users: 50, items: 40 }))
}

/** The samples of the small job's world, and the job. */
async function smallData() {
  const job = smallJob(temporaryFolder())
  const world = smallWorld()
  const options = { clock: frozenClock, samples: undefined }
  return prepare(job, 'a small world', (count) => world.pull(count), options)
}

const quiet = { engine: plainEngine('float32'), clock: frozenClock, onProgress: () => undefined }

function learned(outcome: Outcome): Extract<Outcome, { kind: 'learned' }> {
  if (outcome.kind === 'failed') throw new Error(outcome.reason)
  return outcome
}

async function page(options: Partial<CompareCommand>): Promise<{ text: string; said: string }> {
  let said = ''
  const terminal = new Writable({
    write: (chunk, _, done) => {
      said += String(chunk)
      done()
    },
  }) as unknown as NodeJS.WriteStream
  const output = `${temporaryFolder()}/leaderboard.md`
  const context = {
    clock: frozenClock,
    environment: {},
    terminal,
    print: () => undefined,
    script: '',
  }
  await compareCommand(context, { data: 'simulated', impressions: 400, output, ...options })
  return { text: readFileSync(output, 'utf8'), said }
}

describe('the list of configurations', () => {
  test('has every model plain and with mutual learning, every balancer, and no name twice', async () => {
    const job = await loadJob('examples/simulated/job.yaml')
    const all = configurationsOf(job)
    const names = all.map(({ group, name }) => `${group}/${name}`)
    expect(new Set(names).size).toBe(names.length)
    const models = all.filter(({ group }) => group === 'backbones').map((one) => one.job.model)
    for (const { kind } of MODELS) {
      const mutual = models.filter((model) => model.kind === kind).map(({ dml }) => dml?.ctfm)
      expect(mutual, kind).toEqual([undefined, true])
    }
    const balanced = all.filter(({ group }) => group === 'balancers')
    for (const { kind } of BALANCERS) {
      const rows = balanced.filter((one) => one.job.balance.kind === kind)
      expect(rows.length, kind).toBeGreaterThan(0)
      expect(rows.every((one) => one.job.model.kind === 'mmoe')).toBe(true)
    }
    expect(new Set(all.map(({ group }) => group))).toEqual(new Set(GROUPS))
    expect(names.filter((_, i) => all[i]?.isDefault)).toEqual(['backbones/mmoe', 'balancers/equal'])
  })

  test('gives other models the job’s widths', async () => {
    const job = await loadJob('examples/kuairand/job.yaml')
    const all = configurationsOf(job).filter(({ group }) => group === 'backbones')
    expect(job.model).toMatchObject({ dim: 8, expert_hidden: [64, 32] })
    for (const { job: other, name } of all) {
      expect(other.model.dim, name).toBe(8)
      if ('expert_hidden' in other.model) {
        expect(other.model.expert_hidden, name).toEqual([64, 32])
      }
      if ('bottom_hidden' in other.model) {
        expect(other.model.bottom_hidden, name).toEqual([64, 32])
      }
    }
  })
})

test('the default configuration ends with the figures of the learner itself', async () => {
  const data = await smallData()
  const log = new MemoryLog()
  const job = smallJob(temporaryFolder())
  await produceWorld(job, log, IMPRESSIONS)
  const { stages } = await learnWhole({ job, log, engine: plainEngine('float32') })
  const configuration = configurationsOf(data.job).find((one) => one.isDefault)
  const outcome = learned(trainOnce(data, configuration!, quiet))
  expect(data.samples).toBe(stages.learner.samples)
  const wanted = stages.predictions.report(job.train.report_skip)
  expect(outcome.tasks.map(({ interval: _, ...figures }) => figures)).toEqual(wanted)
  for (const { auc, interval } of outcome.tasks) {
    expect(interval!.low).toBeLessThan(auc!)
    expect(interval!.high).toBeGreaterThan(auc!)
  }
})

test('every configuration learns the same small world to its end, and a second run is the same', async () => {
  const data = await smallData()
  for (const configuration of configurationsOf(data.job)) {
    const outcome = learned(trainOnce(data, configuration, quiet))
    expect(outcome.tasks, configuration.name).toHaveLength(configuration.tasks)
    if (configuration.group === 'backbones') continue
    const again = learned(trainOnce(data, configuration, quiet))
    expect(again.tasks, configuration.name).toEqual(outcome.tasks)
  }
})

test('a stream can be cut short, at the end of a batch', async () => {
  const job = smallJob(temporaryFolder())
  const world = smallWorld()
  const options = { clock: frozenClock, samples: 100 }
  const data = await prepare(job, 'a small world', (count) => world.pull(count), options)
  expect(data.samples).toBe(128)
  expect(data.batches).toHaveLength(4)
})

test('the page names commit, machine, command and every chosen configuration with its interval', async () => {
  const only = '^(backbones/mmoe|balancers/equal)$'
  const { text, said } = await page({ samples: 256, only })
  expect(text).toContain(
    'npm run compare -- --data simulated --impressions 400 --samples 256 --only',
  )
  expect(text).toMatch(/- commit ([0-9a-f]{12}|unknown)/)
  expect(text).toMatch(/cores, .* Node v\d+/)
  const rows = text.split('\n').filter((line) => /^\| \*\*/.test(line))
  expect(rows).toHaveLength(2)
  const figures = rows.map((row) => row.split('|').slice(2, 5))
  expect(figures[0], 'both rows are the same configuration').toEqual(figures[1])
  expect(figures[0]?.[0]).toMatch(/0\.\d{4} \[0\.\d{4}, 0\.\d{4}\] \/ \d\.\d{4}/)
  expect(said).toContain('Simulated app 2/2 equal: mean AUC')
})

test('what failed is on the page with its reason', async () => {
  const [configuration] = configurationsOf(await loadJob('examples/simulated/job.yaml'))
  const outcomes: Outcome[] = [{ kind: 'failed', configuration: configuration!, reason: 'sick' }]
  const board = {
    title: 'A set',
    source: 'it',
    samples: 1,
    skipped: 0.2,
    tasks: ['click'],
    outcomes,
  }
  const where = { commit: 'c', machine: 'm', engine: 'e', command: 'x' }
  expect(leaderboardPage(where, [board])).toContain('- shared-bottom: sick')
})

test('KuaiRand needs its files', async () => {
  await expect(page({ data: 'both' })).rejects.toMatchObject({
    code: 'USAGE',
    remedy: 'give --log, --users and --videos, or --data simulated',
  })
})

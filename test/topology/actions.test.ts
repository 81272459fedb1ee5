/** @file A job without impressions from end to end: learned, checked, described, examined, guessed from a sample. */

import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { parseJob } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { run } from './cli.ts'
import { learnWhole } from './learn-whole.ts'
import { openJobLog, produceWorld, temporaryFolder } from './temporary-job.ts'

/** The example in a folder of its own. */
function actionsText(folder: string): string {
  return readFileSync('examples/actions/job.yaml', 'utf8')
    .replace('.millrace/actions/bus', `${folder}/bus`)
    .replaceAll('../../schemas', resolve('schemas'))
    .replace('train:', `train:\n  state: ${folder}/state`)
}

test('clicks, likes and shares alone are learned from, every record accounted for', async () => {
  const folder = temporaryFolder()
  const job = parseJob(`${folder}/job.yaml`, actionsText(folder))
  const log = await openJobLog(job)
  await produceWorld(job, log, 6_000)
  const { stages } = await learnWhole({ job, log, engine: plainEngine('float32') })
  await log.close()
  for (const {
    in: read,
    joined,
    duplicates,
    late,
    orphans,
    deadLetters,
    open,
  } of stages.intake.accounting()) {
    const places = [...Object.values(late), ...Object.values(deadLetters)]
    const sum = places.reduce((all, one) => all + one, joined + duplicates + orphans + open)
    expect([read, orphans, open]).toEqual([sum, 0, 0])
    // The rest came again on a pair whose sample had left.
    expect(joined).toBeGreaterThan(0.6 * read)
  }
  const [click] = stages.progressive.quality()
  expect(click?.window.positives).toBeGreaterThan(500)
  expect(click?.window.samples).toBeGreaterThan(4 * 500)
  expect(stages.drawnNegatives).toBeDefined()
}, 60_000)

test('check, describe and doctor know such a job, and init writes one', async () => {
  const folder = temporaryFolder()
  writeFileSync(`${folder}/job.yaml`, actionsText(folder))
  const checked = await run(['check', `${folder}/job.yaml`])
  expect(checked.stdout, checked.stderr).toContain('sound. 3 tasks (click, like, share)')
  const described = await run(['describe', `${folder}/job.yaml`])
  expect(described.stdout).toContain('a like within 120 s of the first action on the pair')
  const job = parseJob(`${folder}/job.yaml`, actionsText(folder))
  const log = await openJobLog(job)
  await produceWorld(job, log, 600)
  await log.close()
  const examined = await run(['doctor', `${folder}/job.yaml`])
  expect(examined, examined.stderr).toMatchObject({ code: 0 })
  expect(examined.stdout).toContain('ids of item')
  const event = (kind: string, n: number): string =>
    JSON.stringify({
      kind,
      id: `${kind}${n}`,
      user_id: `u${n % 9}`,
      item_id: `i${n % 7}`,
      ts: 1_772_431_200_000 + n,
    })
  const lines = Array.from({ length: 90 }, (_, n) => event(n % 3 === 0 ? 'like' : 'click', n))
  writeFileSync(`${folder}/events.ndjson`, lines.join('\n'))
  const from = ['--input', `${folder}/events.ndjson`, '--output', `${folder}/own`]
  const guessed = await run(['init', ...from, '--anchor', 'none'])
  expect(guessed, guessed.stderr).toMatchObject({ code: 0 })
  expect(guessed.stdout).toContain('sound. 2 tasks (click, like)')
}, 60_000)

/** @file A version put together from its updates: what a delta takes away is gone, and what comes back is there. */

import { expect, test } from 'vitest'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import { featureStateSections, stateRows } from '../../src/publish/feature-state-section.ts'
import { safetensorsOf } from '../../src/publish/safetensors.ts'
import type { UpdateSection } from '../../src/publish/sections.ts'
import { parseJob } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { listVersions } from '../../topology/version-list.ts'
import { wholeVersions } from '../../topology/version-state.ts'
import { chunksOf, smallTrainer } from '../publish/small-trainer.ts'
import { learnWhole } from './learn-whole.ts'
import { jobText, produceWorld, temporaryFolder } from './temporary-job.ts'
import { withHistories } from './tight-job.ts'

test('rows that a delta removes are in no version from there on, until they are learned again', async () => {
  const log = new MemoryLog()
  await log.createTopic({ topic: 'model', partitions: 1, cleanup: 'delete' })
  const codec = openChunkCodec()
  const trainer = smallTrainer()
  const { table } = trainer.learner.parts
  const keysAt: string[][] = []
  const publish = async (batches: number): Promise<void> => {
    const records = chunksOf(trainer.next(batches)).map((chunk) => ({
      key: new Uint8Array(0),
      value: codec.encode(chunk),
      timestampMs: 0,
      partition: 0,
    }))
    await log.append('model', records)
    const keys: string[] = []
    for (let row = 0; row < table.rows; row++) {
      const words = new Uint32Array(2)
      table.readWords(row, 0, 2, words, 0)
      if (!table.free.has(row)) keys.push(`${words[0]} ${words[1]}`)
    }
    keysAt.push(keys.sort())
  }
  await publish(4)
  table.remove(1, 2, 'erased')
  table.remove(2, 3, 'erased')
  await publish(0)
  await publish(6)
  const source = { log, topic: 'model', modelId: undefined, trusted: undefined }
  const versions = await wholeVersions(source, [1, 2, 3])
  const found = versions.map(({ content: { rows } }) =>
    Array.from(
      { length: rows.count },
      (_, i) => `${rows.keys[2 * i]} ${rows.keys[2 * i + 1]}`,
    ).sort(),
  )
  expect(found).toEqual(keysAt)
  expect(found[1]?.length).toBe((found[0]?.length ?? 0) - 2)
  expect(versions[1]?.content.sections.map(({ name }) => name)).toEqual(['graph'])
})

/** Every row of every feature, in an order of its own; words, as histories hold what is no number. */
function plainState(sections: readonly UpdateSection[]): object {
  const features = stateRows(sections).map(({ name, width, rows: { keys, values } }) => {
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
    const lines = Array.from({ length: keys.length / 2 }, (_, i) =>
      [...keys.subarray(2 * i, 2 * i + 2), ...words.subarray(i * width, (i + 1) * width)].join(' '),
    )
    return [name, lines.sort()]
  })
  return Object.fromEntries(features)
}

test('feature state is that of the trainer, whole, also where it was given up by deltas', async () => {
  const folder = temporaryFolder()
  const text = withHistories(jobText(folder))
    .replace('engine: plain,', 'engine: plain, state_tables: { expire_hours: 0.01 },')
    .replace('full_every: 4', 'full_every: 100')
  const job = parseJob(`${folder}/job.yaml`, text)
  const log = new MemoryLog()
  await produceWorld(job, log, 1_200)
  const { stages, reports } = await learnWhole({ job, log, engine: plainEngine('float32') })
  const newest = reports.findLast((report) => report.kind === 'published')
  expect(newest?.update).toBe('delta')
  const source = { log, topic: 'model', modelId: undefined, trusted: undefined }
  const seen = new Set<string>()
  await listVersions(source, (_, { sections }) => {
    for (const { name } of sections) seen.add(name)
  })
  expect(seen, 'rows of feature state were given up').toContain('state-removed')
  const [whole] = await wholeVersions(source, [newest?.sequence ?? 0])
  if (whole === undefined) throw new Error('no version')
  const { sections } = whole.content
  const expected = plainState(featureStateSections(stages.featureState, 'full'))
  expect(Object.keys(expected)).toEqual(['user_rate', 'tag_rate', 'user_seen', 'liked', 'clicked'])
  expect(plainState(sections)).toEqual(expected)
  expect(sections.map(({ name }) => name).sort()).toEqual(['feature-state', 'graph'])
  const exported = Buffer.from(safetensorsOf(whole.content, whole.listed.sha256)).toString('latin1')
  for (const name of ['user_rate', 'clicked']) expect(exported).toContain(`state.${name}.values`)
}, 60_000)

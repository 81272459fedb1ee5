/** @file The package entry `millrace/serve`: a process that imports it alone follows, scores as the trainer does, and loads nothing native. */

import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { openFileLog } from '../../src/broker/file-log/file-log.ts'
import { FeatureEncoder } from '../../src/features/encode.ts'
import { featureListOptions } from '../../src/features/feature-options.ts'
import { compileFeatures } from '../../src/features/feature-spec.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { ModelTopic } from '../../topology/model-topic.ts'
import { MOMENT, smallTrainer } from '../publish/small-trainer.ts'
import { frozenClock, temporaryFolder } from './temporary-job.ts'

const ROWS = [
  { fields: { user: 'u1', tags: ['a', 'b'], age: 3 }, time: 0 },
  { fields: { user: 7, tags: 'never, seen' }, time: 0 },
]

/** What another program would write. */
const PROGRAM = `
import { CurrentFollower, Follower, followToEnd, openChunkCodec, openFileLog, plainEngine, Scorer } from 'millrace/serve'
const log = await openFileLog({ path: process.argv[1], access: 'read-only' })
const follower = new Follower(plainEngine(), { modelId: 'small' })
await followToEnd(log, 'model', openChunkCodec(), follower)
await log.close()
const { version, probabilities } = new Scorer(new CurrentFollower(follower)).score(${JSON.stringify(ROWS)})
const native = process.report.getReport().sharedObjects.filter((file) => file.endsWith('.node'))
console.log(JSON.stringify({ version, probabilities: [...probabilities], native }))
`

test('follows and scores exactly as the trainer, in a process of its own that loads no native module', async () => {
  const folder = temporaryFolder()
  const log = await openFileLog({ path: folder })
  const topic = await ModelTopic.open({
    log,
    topic: 'model',
    modelId: 'small',
    codec: openChunkCodec(),
    chunkBytes: 700,
    clock: frozenClock,
  })
  const trainer = smallTrainer()
  for (let version = 1; version <= 3; version++) await topic.publish(trainer.next())
  await log.close()
  const spec = compileFeatures(
    featureListOptions.parse([
      { name: 'user', kind: 'id' },
      { name: 'tags', kind: 'ids', pooling: 'sum' },
      { name: 'age', kind: 'number' },
    ]),
  )
  const encoder = new FeatureEncoder(spec)
  encoder.setStatistics(MOMENT.standardisation)
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM, folder], {
    encoding: 'utf8',
  })
  expect(ran.stderr).toBe('')
  expect(JSON.parse(ran.stdout)).toEqual({
    version: 3,
    probabilities: [...trainer.learner.score(encoder.encode(ROWS))],
    native: [],
  })
})

/** @file Histories of users from end to end: learned, saved, published; a follower scores as the trainer does. */

import { expect, test } from 'vitest'
import { FeatureEncoder } from '../../src/features/encode.ts'
import { Follower } from '../../src/serve/follower.ts'
import { parseJob } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { followToEnd } from '../../topology/follow-topic.ts'
import { learnWhole } from './learn-whole.ts'
import { jobText, openJobLog, produceWorld, temporaryFolder } from './temporary-job.ts'
import { withHistories } from './tight-job.ts'

const engine = plainEngine('float32')

test('a follower of full and delta versions pools the histories that the trainer has, and scores the same', async () => {
  const folder = temporaryFolder()
  const text = withHistories(jobText(folder)).replace('kind: mmoe,', 'kind: mmoe, wide: true,')
  const job = parseJob(`${folder}/job.yaml`, text)
  const log = await openJobLog(job)
  await produceWorld(job, log, 900)
  const { stages } = await learnWhole({ job, log, engine })
  const follower = new Follower(engine)
  const kinds: string[] = []
  await followToEnd(log, 'model', openChunkCodec(), follower, 0, ({ kind }) => kinds.push(kind))
  await log.close()
  expect(kinds.filter((kind) => kind === 'applied').length).toBeGreaterThan(2)
  const { model } = follower
  if (model === undefined) throw new Error(JSON.stringify([...follower.refusals]))
  const encoder = new FeatureEncoder(model.spec, model.state)
  encoder.setStatistics(model.standardisation)
  const rows = Array.from({ length: 60 }, (_, n) => ({
    fields: { user_id: `u${n % 20}`, item_id: `v${n % 40}-0`, category: 'music', tags: ['tag-1'] },
    time: 1_772_431_300_000 + n,
  }))
  const encoded = encoder.encode(rows)
  expect(encoded).toEqual(stages.encoder.encode(rows))
  const past = encoded.slots.find(({ pooling }) => pooling === 'history-attention')
  expect(past?.hi.length).toBeGreaterThan(60)
  const expected = stages.learner.score(encoded)
  // A follower sums what all rows have in common first: the last bit may differ.
  for (const [i, score] of model.score(encoded).entries())
    expect(score).toBeCloseTo(expected[i]!, 6)
}, 60_000)

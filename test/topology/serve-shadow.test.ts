/** @file `millrace serve` with a second version in the shadow: followed beside the other, compared, and told in the metrics. */

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openFileLog } from '../../src/broker/file-log/file-log.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { openShadowSource } from '../../topology/serve-shadow.ts'
import { openModelSource } from '../../topology/serve-source.ts'
import { chunksOf, smallTrainer } from '../publish/small-trainer.ts'
import { postRows, scorerOf } from './scorer-of.ts'
import { temporaryFolder } from './temporary-job.ts'

const ROWS = Array.from({ length: 50 }, (_, i) => ({
  user: `u${i % 7}`,
  tags: ['tag-1', `tag-${i}`],
  event_time: '2026-03-02T08:00:00Z',
}))

test('an older version in the shadow is compared with the one that answers', async () => {
  const folder = temporaryFolder()
  const log = await openFileLog({ path: folder })
  await log.createTopic({ topic: 'model', partitions: 1, cleanup: 'delete' })
  const trainer = smallTrainer()
  const codec = openChunkCodec()
  for (let n = 0; n < 3; n++) {
    const values = chunksOf(trainer.next()).map((chunk) => codec.encode(chunk))
    await log.append(
      'model',
      values.map((value) => ({ key: new Uint8Array(0), value, timestampMs: 0, partition: 0 })),
    )
  }
  await log.close()
  const options = { from: folder, shadowVersion: 2, shadowShare: 1 }
  const { url } = await scorerOf({
    source: await openModelSource(options, {}),
    shadow: await openShadowSource(options, {}),
  })
  const metrics = async (): Promise<string> => await (await fetch(`${url}/metrics`)).text()
  while (!/scorer_shadow_version 2\n/.test(await metrics())) await sleep(20)
  while (!/scorer_model_version 3\n/.test(await metrics())) await sleep(20)
  const response = await postRows(url, ROWS)
  expect(response.status).toBe(200)
  while (!/scorer_shadow_rows_total 50\n/.test(await metrics())) await sleep(20)
  const [, distance] = /shadow_distance_total\{task="click"\} (\S+)/.exec(await metrics()) ?? []
  expect(Number(distance)).toBeGreaterThan(0)
  expect(Number(distance)).toBeLessThan(50)
  await expect(openShadowSource({ ...options, shadowVersion: 9 }, {})).rejects.toThrow('version 9')
  expect(await openShadowSource({ from: folder, shadowShare: 1 }, {})).toBeUndefined()
})

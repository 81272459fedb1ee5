/** @file A version put together from its updates: what a delta takes away is gone, and what comes back is there. */

import { expect, test } from 'vitest'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { wholeVersions } from '../../topology/version-state.ts'
import { chunksOf, smallTrainer } from '../publish/small-trainer.ts'

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

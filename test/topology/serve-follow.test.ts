/** @file A scorer that starts: by the time it says that it has read all, it obeys what operators decided before. */

import { expect, test } from 'vitest'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import { CurrentFollower } from '../../src/serve/current-follower.ts'
import { Follower } from '../../src/serve/follower.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { writeControl } from '../../topology/control-topic.ts'
import { ControlWatch } from '../../topology/serve-control.ts'
import { followUntilStopped } from '../../topology/serve-follow.ts'
import { chunksOf, smallTrainer } from '../publish/small-trainer.ts'

test('a version that was withdrawn before the scorer started is never what it is ready with', async () => {
  const log = new MemoryLog()
  await log.createTopic({ topic: 'model', partitions: 1, cleanup: 'delete' })
  const codec = openChunkCodec()
  const trainer = smallTrainer()
  const hashes: string[] = []
  for (let version = 1; version <= 3; version++) {
    const chunks = chunksOf(trainer.next())
    hashes.push(chunks[0]!.sha256)
    const records = chunks.map((chunk) => ({
      key: new Uint8Array(0),
      value: codec.encode(chunk),
      timestampMs: 0,
      partition: 0,
    }))
    await log.append('model', records)
  }
  const decision = {
    model_id: 'small',
    revision: 1,
    pinned_sequence: 1,
    pinned_sha256: hashes[0]!,
    withdrawn: hashes.slice(1),
    reason: 'likes look wrong',
    decided_at_ms: 0,
  }
  await writeControl(log, 'model', decision, undefined)
  const engine = plainEngine('float32')
  const source = { log, topic: 'model', modelId: undefined, trusted: undefined }
  const current = new CurrentFollower(new Follower(engine, source))
  const watch = new ControlWatch({ engine, ...source })
  const stop = new AbortController()
  const readyWith: (string | undefined)[] = []
  await followUntilStopped({
    ...source,
    codec,
    current,
    look: (options) => watch.look(options),
    report: () => undefined,
    onCaughtUp: () => {
      readyWith.push(current.sha256)
      stop.abort()
    },
    signal: stop.signal,
  })
  expect(readyWith).toEqual([hashes[0]])
})

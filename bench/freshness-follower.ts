/** @file The follower of the freshness bench, a process of its own: loads every version, scores with it, and notes when it had. */

import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { openFileLog } from '../src/broker/file-log/file-log.ts'
import type { EncodedFeatures } from '../src/features/encoded-batch.ts'
import { Follower } from '../src/serve/follower.ts'
import { plainEngine } from '../src/tensors/plain-engine.ts'
import { openChunkCodec } from '../topology/chunk-codec.ts'
import type { SeenVersion } from './benches/freshness.ts'

const TOPIC = 'model'
const [path = ''] = process.argv.slice(2)
const seen: SeenVersion[] = []
let ending = false

async function follow(): Promise<void> {
  const log = await openFileLog({ path, access: 'read-only' })
  const codec = openChunkCodec()
  const follower = new Follower(plainEngine('float32'))
  // The learner makes the topic.
  while (!(await log.topics()).has(TOPIC)) await sleep(20)
  for (let offset = 0; !ending; ) {
    const at = { topic: TOPIC, partition: 0, offset }
    const [batch] = await log.read([at], 16)
    if (batch === undefined) {
      await log.waitForRecords([at], 100)
      continue
    }
    for (const { value } of batch.records) {
      const decoded = codec.decode(value)
      if (decoded.kind !== 'chunk') continue
      if (follower.follow(decoded.chunk).kind === 'applied') note(follower)
    }
    offset = batch.nextOffset
  }
  await log.close()
}

/** One row, with a key in every slot that no row of the table has: a score is a score. */
function note({ model }: Follower): void {
  if (model === undefined) return
  const { header, spec } = model
  const row: EncodedFeatures = {
    rows: 1,
    slots: spec.slots.map((_, slot) => ({
      hi: Uint32Array.of(slot),
      lo: Uint32Array.of(7),
      starts: Uint32Array.of(0, 1),
      pooling: 'single',
    })),
    dense: new Float32Array(spec.denseWidth),
    denseWidth: spec.denseWidth,
  }
  model.score(row)
  const { sequence, watermark_ms: watermarkMs } = header
  seen.push({ sequence, watermarkMs, scoredAtMs: Date.now() })
}

async function answer(): Promise<void> {
  for await (const _ of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(seen.splice(0))}\n`)
  }
  ending = true
}

await Promise.all([follow(), answer()])

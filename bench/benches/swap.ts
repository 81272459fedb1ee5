/** @file What a request to score waits for while versions are swapped: latencies beside the loading of versions, and without it. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { cutIntoChunks } from '../../src/publish/chunk.ts'
import { PackedRows } from '../../src/publish/packed-rows.ts'
import { contentHash, encodeUpdate, type UpdateContent } from '../../src/publish/update.ts'
import { Follower } from '../../src/serve/follower.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import type { Bench, BenchContext, Measured } from '../bench.ts'
import { quantile } from '../harness.ts'
import { publishedVersion, requestOf } from '../scoring-rig.ts'

const CANDIDATES = 500
/** Rows of a delta: what 10,000 samples touch of 16 features. */
const DELTA_ROWS = 40_000
/** Versions per round: a full one, then deltas. */
const VERSIONS = 6
const QUIET_REQUESTS = 250
const ROUNDS = 3
const CHUNK_BYTES = 500_000

export const swapBench: Bench = {
  name: 'swap',
  summary: `Scores ${CANDIDATES} candidates again and again while full versions and deltas of ${DELTA_ROWS.toLocaleString('en-US')} rows are loaded in the same thread, as millrace serve does it.`,
  peers: [],
  run: measure,
}

async function measure({ rounds = ROUNDS, say }: BenchContext): Promise<Measured> {
  const full = publishedVersion()
  const requests = Array.from({ length: 64 }, (_, i) => requestOf(CANDIDATES, i))
  const swapping: number[] = []
  const quiet: number[] = []
  const longest: number[] = []
  const follower = new Follower(plainEngine())
  // The first version is nobody's swap, and the compiler gets warm on it.
  for (const record of recordsOf(full, 1, '')) await take(follower, record)
  let request = 0
  const score = async (): Promise<number> => {
    const arrived = performance.now()
    await nextTurn()
    follower.model?.score(requests[request++ % requests.length] ?? requestOf(CANDIDATES, 0))
    return performance.now() - arrived
  }
  for (let round = -1; round < rounds; round++) {
    const alone: number[] = []
    for (let i = 0; i < QUIET_REQUESTS; i++) alone.push(await score())
    const beside: number[] = []
    for (const records of versionsAfter(full, follower)) {
      let loading = true
      const loaded = (async () => {
        for (const record of records) await take(follower, record)
        loading = false
      })()
      while (loading) beside.push(await score())
      await loaded
    }
    if (round < 0) continue
    quiet.push(quantile(alone, 0.99))
    swapping.push(quantile(beside, 0.99))
    longest.push(Math.max(...beside))
    say(
      `p99 ${quantile(beside, 0.99).toFixed(2)} ms in ${beside.length} requests beside swaps, ${quantile(alone, 0.99).toFixed(2)} ms without`,
    )
  }
  const without = { name: 'without a swap', rounds: quiet }
  return {
    figures: [
      {
        label: 'p99 of scoring during a swap',
        unit: 'ms',
        rounds: swapping,
        against: without,
        better: 'lower',
        target: 1.5,
      },
      { label: 'longest request during a swap', unit: 'ms', rounds: longest, better: 'lower' },
    ],
    versions: { engine: 'plain-float32' },
    facts: {
      candidates: CANDIDATES,
      'rows of the table': full.rows.count,
      'rows of a delta': DELTA_ROWS,
      'versions per round': VERSIONS,
    },
  }
}

const codec = openChunkCodec()

async function take(follower: Follower, record: Uint8Array): Promise<void> {
  const decoded = codec.decode(record)
  if (decoded.kind !== 'chunk') throw new TypeError(decoded.reason)
  const followed = await follower.followInTurns(decoded.chunk)
  if (followed.kind === 'refused') throw new TypeError(`${followed.reason}: ${followed.detail}`)
  await nextTurn()
}

/** Records of the versions behind the one that the follower has. */
function* versionsAfter(full: UpdateContent, follower: Follower): Generator<Uint8Array[]> {
  for (let n = 0; n < VERSIONS; n++) {
    const sequence = (follower.model?.header.sequence ?? 0) + 1
    const update = n === 0 ? full : deltaOf(full)
    yield recordsOf(update, sequence, follower.sha256)
  }
}

/** Every second row, with the values that it has: loading costs the same, and the probe holds. */
function deltaOf(full: UpdateContent): UpdateContent {
  const { width } = full.header.table
  const { keys, values } = full.rows
  const rows = {
    keys: new Uint32Array(2 * DELTA_ROWS),
    values: new Float32Array(width * DELTA_ROWS),
  }
  for (let i = 0; i < DELTA_ROWS; i++) {
    rows.keys.set(keys.subarray(4 * i, 4 * i + 2), 2 * i)
    rows.values.set(values.subarray(2 * i * width, (2 * i + 1) * width), i * width)
  }
  const header = { ...full.header, kind: 'delta' as const }
  return { ...full, header, rows: PackedRows.exact(rows, width) }
}

/** The version as records of the topic. */
function recordsOf(update: UpdateContent, sequence: number, parent: string): Uint8Array[] {
  const header = { ...update.header, sequence, parent_sha256: parent }
  const content = encodeUpdate({ ...update, header })
  const envelope = {
    model_id: header.model_id,
    trainer_epoch: 1,
    sequence,
    kind: header.kind,
    sha256: contentHash(content),
    parent_sha256: parent,
    full_offset: 0,
    published_at_ms: 0,
    signature: new Uint8Array(0),
  }
  return cutIntoChunks(envelope, content, CHUNK_BYTES).map((chunk) => codec.encode(chunk))
}

/** @file The gate in a whole run (law 8): what it holds back never reaches the topic, and every way of running decides alike. */

import { expect, test } from 'vitest'
import { MemoryLog } from '../../src/broker/memory-log.ts'
import type { Report } from '../../src/observe/report.ts'
import { parseJob } from '../../src/settings/job.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import { openChunkCodec } from '../../topology/chunk-codec.ts'
import { learnWhole } from './learn-whole.ts'
import { jobText, produceWorld, smallJob, temporaryFolder } from './temporary-job.ts'

/** So narrow that noise alone holds some versions back. */
const NARROW = 'gate: { warmup_samples: 0, min_positives: 5, calibration: [0.3, 1.5] }'

function runWith(gate: string, log: MemoryLog, epochRecords: number) {
  const folder = temporaryFolder()
  const text = jobText(folder)
    .replace('chunk_bytes: 4096', `chunk_bytes: 4096, ${gate}`)
    .replace('checkpoint_every_records', `epoch_records: ${epochRecords}, checkpoint_every_records`)
  const job = parseJob(`${folder}/job.yaml`, text)
  return learnWhole({ job, log, engine: plainEngine('float32') })
}

async function worldLog(): Promise<MemoryLog> {
  const log = new MemoryLog()
  await produceWorld(smallJob(temporaryFolder()), log, 3_000)
  return log
}

const verdicts = (reports: readonly Report[]): Report[] =>
  reports.filter(({ kind }) => kind === 'verdict')

async function sequencesOn(log: MemoryLog): Promise<number[]> {
  const codec = openChunkCodec()
  const seen = new Set<number>()
  for (let offset = 0; ; ) {
    const [batch] = await log.read([{ topic: 'model', partition: 0, offset }], 100)
    if (batch === undefined) return [...seen]
    for (const { value } of batch.records) {
      const decoded = codec.decode(value)
      if (decoded.kind === 'chunk') seen.add(decoded.chunk.sequence)
    }
    offset = batch.nextOffset
  }
}

test('held versions are not on the topic and leave no hole in the numbers; the next one takes their place', async () => {
  const log = await worldLog()
  const { reports } = await runWith(NARROW, log, 1_000)
  const outcomes = verdicts(reports).map((one) => (one.kind === 'verdict' ? one.outcome : ''))
  const published = outcomes.filter((outcome) => outcome === 'published').length
  expect(published).toBeGreaterThan(1)
  expect(outcomes.length).toBeGreaterThan(published)
  expect(await sequencesOn(log)).toEqual(Array.from({ length: published }, (_, i) => i + 1))
  expect(reports.filter(({ kind }) => kind === 'published')).toHaveLength(published)
})

test('verdicts do not depend on how the log is cut', async () => {
  const whole = await runWith(NARROW, await worldLog(), 5_000)
  const cut = await runWith(NARROW, await worldLog(), 37)
  expect(verdicts(cut.reports)).toEqual(verdicts(whole.reports))
  expect(cut.run.stateHash()).toBe(whole.run.stateHash())
})

test('a bound that no model meets holds everything back; with the gate off everything goes out', async () => {
  const outcome = async (gate: string): Promise<string[]> => {
    const { reports } = await runWith(gate, await worldLog(), 1_000)
    return verdicts(reports).flatMap((one) => (one.kind === 'verdict' ? [one.outcome] : []))
  }
  const impossible = 'warmup_samples: 0, min_positives: 5, min_auc: 0.99'
  expect(new Set(await outcome(`gate: { ${impossible} }`))).toEqual(new Set(['held']))
  expect(new Set(await outcome(`gate: { ${impossible}, enabled: false }`))).toEqual(
    new Set(['published']),
  )
})

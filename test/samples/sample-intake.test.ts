import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Decoded } from '../../src/events/event.ts'
import { SampleIntake, sampleKind } from '../../src/samples/sample-intake.ts'
import {
  type SampleSource,
  sampleDecoder,
  sampleToRecord,
} from '../../src/samples/sample-record.ts'
import { AvroCodec } from '../../src/wire/avro-codec.ts'
import { loadSchema } from '../../src/wire/avro-schema.ts'
import { stageContract } from '../contracts/stage.contract.ts'
import { plainSample } from './plain-sample.ts'

const TASKS = ['click']
const codec = new AvroCodec({ schema: loadSchema('schemas/sample.avsc') })
const decode = sampleDecoder(TASKS, (bytes) => codec.decode(bytes))
const input = { kind: sampleKind('samples'), decode }
const dedupe = { withinMs: 1_000, maxIds: 100 }

function intake(gaps: 'stop' | 'accept' = 'stop', inputs = 2): SampleIntake {
  return new SampleIntake({
    inputs: Array.from({ length: inputs }, () => input),
    tasks: TASKS,
    dedupe,
    gaps,
  })
}

interface Drawn {
  readonly input: number
  readonly id: string
  readonly time: number
  readonly window: number
  readonly source: SampleSource | null
}

function decoded({ input: at, id, time, window, source }: Drawn, offset: number): Decoded {
  const sample = plainSample({
    id,
    key: id,
    time,
    maturedAt: time + window,
    fields: {},
    labels: Float32Array.of(1),
    mask: Uint8Array.of(1),
  })
  return decode(codec.encode(sampleToRecord(sample, TASKS, source)), { input: at, offset })
}

const numbered = (sequence: number, epoch: number, offset: number): Decoded =>
  decoded(
    {
      input: 0,
      id: `i${sequence}`,
      time: 100 + sequence,
      window: 10,
      source: { shard: 0, sequence, epoch },
    },
    offset,
  )

const drawn: fc.Arbitrary<Drawn> = fc.record({
  input: fc.nat(1),
  id: fc.integer({ min: 1, max: 30 }).map(String),
  time: fc.integer({ min: 1, max: 200 }),
  window: fc.constantFrom(5, 10),
  source: fc.constant(null),
})

stageContract<SampleIntake, Decoded>({
  name: 'a sample intake',
  histories: fc.array(drawn, { maxLength: 40 }).map((all) => ({
    make: () => intake(),
    inputs: all.map(decoded),
  })),
  feed: (stage, records) => {
    const { samples, duplicates } = stage.push(records)
    return { samples, duplicates }
  },
})

describe('a sample intake', () => {
  test('merges ascending partitions into the order of one join', () => {
    fc.assert(
      fc.property(
        fc.array(drawn, { maxLength: 40 }),
        fc.array(fc.nat(1), { maxLength: 40 }),
        (all, picks) => {
          const unique = [
            ...new Map(all.map((one) => [`${one.id}/${one.time + one.window}`, one])).values(),
          ]
          const order = (a: Drawn, b: Drawn): number =>
            a.time + a.window - (b.time + b.window) || a.window - b.window || (a.id < b.id ? -1 : 1)
          const queues = [0, 1].map((at) => unique.filter((one) => one.input === at).sort(order))
          const arrivals: Drawn[] = []
          for (let n = 0; arrivals.length < unique.length; n++) {
            const next =
              queues[picks[n % Math.max(1, picks.length)] ?? n % 2]?.shift() ??
              queues[0]?.shift() ??
              queues[1]?.shift()
            if (next !== undefined) arrivals.push(next)
          }
          const stage = intake()
          const given = [
            ...stage.push(arrivals.map(decoded)).samples,
            ...stage.finish(0).samples,
            ...stage.finish(1).samples,
          ]
          expect(given.map(({ id, maturedAt }) => [id, maturedAt])).toEqual(
            unique.sort(order).map(({ id, time, window }) => [id, time + window]),
          )
        },
      ),
      { seed: 17, numRuns: 200 },
    )
  })

  test('takes each number once, and nothing of a joiner that was replaced', () => {
    const stage = intake('stop', 1)
    const arrivals = [
      [0, 5],
      [1, 5],
      [1, 5],
      [2, 9],
      [2, 5],
      [3, 5],
      [3, 9],
      [4, 9],
    ] as const
    stage.push(arrivals.map(([sequence, epoch], offset) => numbered(sequence, epoch, offset)))
    const outputs = stage.finish(0)
    expect(stage.accounting()).toMatchObject([{ in: 8, joined: 5, duplicates: 3, open: 0 }])
    expect(outputs.samples.at(-1)?.id).toBe('i4')
  })

  test('stops where numbers are missing, and says which', () => {
    const stage = intake('stop', 1)
    expect(() => stage.push([numbered(0, 1, 0), numbered(3, 1, 1)])).toThrow(
      /samples offset 1: sample 3 of shard 0 comes after sample 0/,
    )
  })

  test('counts what is missing where gaps are accepted, also over a restore', () => {
    const stage = intake('accept', 1)
    stage.push([numbered(7, 1, 0), numbered(10, 1, 1)])
    const restored = intake('accept', 1)
    restored.restore(stage.snapshot())
    restored.push([numbered(12, 1, 2)])
    expect(restored.missing).toBe(3)
  })

  test('drops a copy of a sample without number, within the memory of ids', () => {
    const stage = intake('stop', 1)
    const one = { input: 0, id: 'a', time: 100, window: 10, source: null }
    const other = { ...one, time: 101 }
    const nothing = { labels: Float32Array.of(0), mask: Uint8Array.of(0) }
    // Another row of the impression, at the same time: it knows other tasks.
    const sample = plainSample({ id: 'a', key: 'a', time: 100, maturedAt: 110, ...nothing })
    const noTask = codec.encode(sampleToRecord(sample, TASKS, null))
    stage.push([decoded(one, 0), decoded(other, 1), decoded(one, 2), decoded(other, 3)])
    stage.push([decode(noTask, { input: 0, offset: 4 })])
    stage.finish(0)
    expect(stage.accounting()).toMatchObject([{ joined: 3, duplicates: 2 }])
  })
})

/** @file The join through Kafka beside a Kafka Streams left join: same broker, same events, same windows, taking turns. */

import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { MillraceError } from '../../src/errors.ts'
import type { Job } from '../../src/settings/job.ts'
import { openBus } from '../../topology/bus.ts'
import { packageFile } from '../../topology/package-files.ts'
import type { Bench, BenchContext, Measured } from '../bench.ts'
import { takeTurns } from '../harness.ts'
import { kafkaVersion, withKafka } from '../kafka.ts'
import { PeerProcess } from '../peer-process.ts'
import { peerProduct } from '../peers.ts'
import { appendWorld, joinRate, simulatedJob } from '../simulated.ts'

const PARTITIONS = 4
const IMPRESSIONS = 200_000
/** Of event time: with the longest window, how many impressions are open at once. */
const IMPRESSIONS_PER_SECOND = 200
const ROUNDS = 3
const THREADS = 2

export const joinBench: Bench = {
  name: 'join',
  summary:
    'Through Kafka: read, decode, de-duplicate, join and sample, beside a Kafka Streams left join that only decodes and joins.',
  peers: ['kafka-streams'],
  run: (context) => withKafka(context.folder, (address) => measure(context, address)),
}

async function measure(context: BenchContext, address: string): Promise<Measured> {
  const { rounds = ROUNDS, say } = context
  const job = simulatedJob({ bus: { kind: 'kafka', brokers: [address], partitions: PARTITIONS } })
  const log = await openBus(job.bus)
  try {
    const world = { impressions: IMPRESSIONS, impressions_per_second: IMPRESSIONS_PER_SECOND }
    const records = await appendWorld(job, log, world)
    say(`${records} records appended`)
    const peer = streams(job, address, records, context.folder)
    const ours = { name: 'ours', round: () => joinRate(job, log, records, say) }
    const turn = (variant: Variant) => ({
      name: variant,
      round: () => theirs(peer, variant, records, say),
    })
    const values = await takeTurns([ours, turn('merged')], { rounds })
    // One round each, in the Java machine that is warm by now: they take most of the time, and no target hangs on them.
    const slower = await takeTurns([ours, turn('lean'), turn('each')], { rounds: 1, warmups: 0 })
    await peer.close()
    const figure = (label: string, of: typeof values, side: Variant) => ({
      label,
      unit: 'events/s',
      rounds: of.get('ours') ?? [],
      against: { name: 'kafka-streams', rounds: of.get(side) ?? [] },
      better: 'higher' as const,
    })
    const merged = figure('beside one left join with all feedback in one stream', values, 'merged')
    return {
      figures: [
        { ...merged, target: 4 },
        figure('the same with windows in memory and no changelog, one round', slower, 'lean'),
        figure('beside a left join per task, which gives complete rows, one round', slower, 'each'),
      ],
      versions: { kafka: await kafkaVersion(), 'kafka-streams': await kafkaVersion() },
      facts: {
        records,
        partitions: PARTITIONS,
        'impressions per second of event time': IMPRESSIONS_PER_SECOND,
        'threads of the peer': THREADS,
        cores: availableParallelism(),
      },
    }
  } finally {
    await log.close()
  }
}

/** The usual stores of Kafka Streams are RocksDB with changelog topics. */
const VARIANTS = {
  merged: ['--feedback', 'merged', '--store', 'rocksdb', '--changelog', 'yes'],
  lean: ['--feedback', 'merged', '--store', 'memory', '--changelog', 'no'],
  each: ['--feedback', 'each', '--store', 'rocksdb', '--changelog', 'yes'],
} as const
type Variant = keyof typeof VARIANTS

interface StreamsAnswer {
  readonly records: number
  readonly seconds: number
  readonly rows: number
}

/** The peer in a Java machine that stays warm over its rounds. */
function streams(
  { join: { tasks }, events }: Job,
  address: string,
  records: number,
  folder: string,
): PeerProcess {
  const topicOf = (kind: string): string =>
    events.kinds.find((one) => one.kind === kind)?.topic ?? kind
  const jar = peerProduct('kafka-streams')
  const named = tasks.map(({ name, kind, windowMs }) => `${name}:${topicOf(kind)}:${windowMs}`)
  const options = {
    brokers: address,
    impressions: events.kinds.find((kind) => kind.anchor)?.topic ?? '',
    tasks: named.join(','),
    schemas: packageFile('schemas'),
    'grace-ms': events.latenessMs,
    threads: THREADS,
    records,
    state: join(folder, 'streams'),
  }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  return new PeerProcess('java', ['-Xmx2g', '-jar', jar, ...args], folder)
}

async function theirs(
  peer: PeerProcess,
  variant: Variant,
  expected: number,
  say: (line: string) => void,
): Promise<number> {
  const request = ['round', ...VARIANTS[variant]].join(' ')
  const { records, seconds, rows } = await peer.ask<StreamsAnswer>(request)
  // The first records are processed before the clock starts; what matters is that none is missing at the end.
  if (records > expected || records < expected / 2) {
    throw new MillraceError('BAD_STATE', `the peer timed ${records} of ${expected} records`)
  }
  say(`kafka-streams ${variant}: ${Math.round(records / seconds)} events/s, ${rows} rows`)
  return records / seconds
}

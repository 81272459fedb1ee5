/** @file The join through Kafka by 1, 2 and 4 joiner processes: how many events per second they join together. */

import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { MillraceError } from '../../src/errors.ts'
import { packageFile } from '../../topology/package-files.ts'
import type { Bench, BenchContext, Measured } from '../bench.ts'
import { median, secondsOf } from '../harness.ts'
import { kafkaVersion, withKafka } from '../kafka.ts'

const PARTITIONS = 4
const IMPRESSIONS = 60_000
const COUNTS = [1, 2, 4] as const

export const joinersBench: Bench = {
  name: 'joiners',
  summary:
    'Events joined per second through Kafka by 1, 2 and 4 joiner processes, start-up included.',
  peers: [],
  run: (context) => withKafka(context.folder, (address) => measure(context, address)),
}

async function measure(context: BenchContext, address: string): Promise<Measured> {
  const { folder, rounds = 2, say } = context
  const events = eventsIn(
    await millrace([
      'produce',
      jobFile(folder, address, 'producer'),
      '--impressions',
      String(IMPRESSIONS),
    ]),
  )
  say(`${events} events appended`)
  const paces = new Map<number, number[]>(COUNTS.map((count) => [count, []]))
  for (let round = 0; round < rounds; round++) {
    for (const count of COUNTS) {
      // A job of its own: every round joins everything.
      const file = jobFile(folder, address, `joiners-${count}-${round}`)
      const args = ['run', file, '--role', 'joiner', '--exit']
      const seconds = await secondsOf(async () => {
        await Promise.all(Array.from({ length: count }, () => millrace(args)))
      })
      say(`${count} joiners: ${Math.round(events / seconds)} events/s`)
      paces.get(count)?.push(events / seconds)
    }
  }
  const [one = []] = paces.values()
  return {
    figures: COUNTS.slice(1).map((count) => ({
      label: `${count} joiners beside one`,
      unit: 'events/s',
      rounds: paces.get(count) ?? [],
      against: { name: 'one joiner', rounds: one },
      better: 'higher' as const,
    })),
    curves: [
      {
        title: 'Events joined per second',
        x: 'joiner processes',
        y: 'events/s',
        lines: [
          {
            name: 'joiners',
            points: COUNTS.map((count) => [count, median(paces.get(count) ?? [])] as const),
          },
        ],
      },
    ],
    versions: { kafka: await kafkaVersion() },
    facts: { events, partitions: PARTITIONS, cores: availableParallelism() },
  }
}

/** The Kafka example under another name, whose topics of events all jobs share. */
function jobFile(folder: string, address: string, name: string): string {
  const file = join(folder, `${name}.yaml`)
  const text = readFileSync(packageFile('examples/kafka/job.yaml'), 'utf8')
    .replace(/^name: .*$/m, `name: ${name}\nsamples: { topic: ${name}.samples }`)
    .replace(/^ {2}brokers: .*$/m, `  brokers: [${JSON.stringify(address)}]`)
    .replace(/^ {2}partitions: .*$/m, `  partitions: ${PARTITIONS}`)
    .replaceAll('../../schemas/', `${packageFile('schemas')}/`)
    .replace(/^observe: .*$/m, 'observe: { http: { enabled: false }, log: silent }')
  writeFileSync(file, text)
  return file
}

/** Runs the built command line to its end; what it printed. */
function millrace(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [packageFile('dist/bin/millrace.js'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let printed = ''
    child.stdout.on('data', (data) => {
      printed += String(data)
    })
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(printed)
      else reject(new MillraceError('BAD_STATE', `millrace ${args.join(' ')} ended with ${code}`))
    })
  })
}

/** The producer says how many of each kind it appended. */
function eventsIn(printed: string): number {
  const counts = [...printed.matchAll(/^(impression|click|like|share) (\d+)$/gm)].map(
    ([, , count]) => Number(count),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

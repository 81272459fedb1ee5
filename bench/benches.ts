/** @file The list of all benches. A bench is loaded when it runs: one may need what another does without. */

import type { Bench } from './bench.ts'

/** Name -> its file, in the order in which all of them run. */
export const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  join: async () => (await import('./benches/join.ts')).joinBench,
  'join-log': async () => (await import('./benches/join-log.ts')).joinLogBench,
  'kafka-log': async () => (await import('./benches/kafka-log.ts')).kafkaLogBench,
}

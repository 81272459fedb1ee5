/** @file The list of all benches. A bench is loaded when it runs: one may need what another does without. */

import type { Bench } from './bench.ts'

/** Name -> its file, in the order in which all of them run. */
export const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  join: async () => (await import('./benches/join.ts')).joinBench,
  'join-log': async () => (await import('./benches/join-log.ts')).joinLogBench,
  'whole-path': async () => (await import('./benches/whole-path.ts')).wholePathBench,
  freshness: async () => (await import('./benches/freshness.ts')).freshnessBench,
  checkpoint: async () => (await import('./benches/checkpoint.ts')).checkpointBench,
  tables: async () => (await import('./benches/tables.ts')).tablesBench,
  growth: async () => (await import('./benches/growth.ts')).growthBench,
  'kafka-log': async () => (await import('./benches/kafka-log.ts')).kafkaLogBench,
  'train-step': async () => (await import('./benches/train-step.ts')).trainStepBench,
  balancing: async () => (await import('./benches/balancing.ts')).balancingBench,
  wasm: async () => (await import('./benches/wasm.ts')).wasmBench,
  scorer: async () => (await import('./benches/scorer.ts')).scorerBench,
  swap: async () => (await import('./benches/swap.ts')).swapBench,
  joiners: async () => (await import('./benches/joiners.ts')).joinersBench,
}

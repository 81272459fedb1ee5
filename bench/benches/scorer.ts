/** @file The time to score one user's candidates with the default model, on every engine that a scorer can have. */

import { FeatureEncoder } from '../../src/features/encode.ts'
import type { FeatureRow } from '../../src/features/slot-encoders.ts'
import type { UpdateContent } from '../../src/publish/update.ts'
import { ServedModel } from '../../src/serve/served-model.ts'
import { openEngine } from '../../src/tensors/engine-choice.ts'
import type { EnginePreference } from '../../src/tensors/engine-preferences.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'
import type { Bench, Figure, Measured } from '../bench.ts'
import { processorMs, quantile } from '../harness.ts'
import { publishedVersion, rowsOf } from '../scoring-rig.ts'

const CANDIDATES = 500
const REQUESTS = 300
const ROUNDS = 5

/** From fields to keys, before any engine has its part. */
function encodingFigure(
  version: UpdateContent,
  requests: readonly (readonly FeatureRow[])[],
  rounds: number,
): Figure {
  const encoder = new FeatureEncoder(ServedModel.of(plainEngine(), version).spec)
  for (const rows of requests.slice(0, 50)) encoder.encode(rows)
  const values = Array.from({ length: rounds }, () => {
    return quantile(
      timesOf(requests, (rows) => encoder.encode(rows)),
      0.99,
    )
  })
  return { label: 'p99 of encoding the rows', unit: 'ms', rounds: values, better: 'lower' }
}

/** Milliseconds of the work on each. */
function timesOf<Request>(
  requests: readonly Request[],
  work: (request: Request) => unknown,
): number[] {
  return requests.map((request) => {
    const started = performance.now()
    work(request)
    return performance.now() - started
  })
}

/** The plain engine has no target: it is what a scorer without any library has. */
const ENGINES: readonly { preference: EnginePreference; target?: number }[] = [
  { preference: 'native', target: 5 },
  { preference: 'wasm', target: 5 },
  { preference: 'plain' },
]

export const scorerBench: Bench = {
  name: 'scorer',
  summary: `Scores ${CANDIDATES} candidates of one user with the default MMoE on 16 id features, from their fields to probabilities: 99th percentile over ${REQUESTS} requests.`,
  peers: [],
  run: async ({ rounds = ROUNDS, say }) => {
    const version = publishedVersion()
    const requests = Array.from({ length: REQUESTS }, (_, i) => rowsOf(CANDIDATES, i))
    const figures: Figure[] = []
    for (const { preference, target } of ENGINES) {
      const { engine, name } = await openEngine(preference)
      const served = ServedModel.of(engine, version)
      const encoder = new FeatureEncoder(served.spec)
      const score = (rows: readonly FeatureRow[]) => served.score(encoder.encode(rows))
      for (const rows of requests.slice(0, 50)) score(rows)
      const values: number[] = []
      const processor: number[] = []
      for (let round = 0; round < rounds; round++) {
        const before = processorMs()
        const times = timesOf(requests, score)
        values.push(quantile(times, 0.99))
        processor.push((processorMs() - before) / REQUESTS)
      }
      const figure: Figure = {
        label: `p99 on ${name}`,
        unit: 'ms',
        rounds: values,
        better: 'lower',
        ...(target === undefined ? {} : { target }),
      }
      figures.push(figure, {
        label: `processor time on ${name}, mean`,
        unit: 'ms',
        rounds: processor,
        better: 'lower',
      })
      say(`${figure.label}: ${values.map((ms) => ms.toFixed(2)).join(', ')} ms`)
    }
    figures.push(encodingFigure(version, requests, rounds))
    return { figures, facts: { candidates: CANDIDATES, requests: REQUESTS } } satisfies Measured
  },
}

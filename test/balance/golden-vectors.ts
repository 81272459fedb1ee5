/** @file Golden files of the methods that see more than one Gram matrix: per tensor, per row, or the vectors themselves. */

import type { BalancerState } from '../../src/balance/balancer.ts'
import { dbMtl, dbMtlOptions } from '../../src/balance/db-mtl.ts'
import { combined, gramOf } from '../../src/balance/gram.ts'
import { metabalance, metabalanceOptions } from '../../src/balance/metabalance.ts'
import { pmtrec, pmtrecOptions, taskWeights } from '../../src/balance/pmtrec.ts'
import { rowNorms } from '../../src/balance/row-norms.ts'
import { initSegments, perSegment } from '../../src/balance/segments.ts'
import {
  arrayIn,
  type Entries,
  expectAgreement,
  type GoldenCase,
  listIn,
  numberIn,
} from './golden-case.ts'

const CLOSED_FORM = 1e-9

/** Every segment's coefficients, running norms and part of the combined gradient. */
export function checkMetabalance(file: GoldenCase): void {
  const tasks = numberIn(file.config, 'T')
  const length = numberIn(file.config, 'P')
  const lengths = listIn<number>(file.config, 'segments')
  const balancer = metabalance(metabalanceOptions.parse(file.config))
  let states: readonly BalancerState[] = initSegments(balancer, tasks, lengths.length)
  file.steps.forEach((entries, step) => {
    const parts = columns(arrayIn(entries, 'grads'), tasks, length, lengths)
    const seen = { losses: arrayIn(entries, 'losses'), active: new Uint8Array(tasks).fill(1), step }
    const grams = parts.map((part, s) => gramOf(part, tasks, lengths[s]!))
    const balanced = perSegment(balancer, seen, grams, states)
    states = balanced.states
    const actual = {
      segmentCoefficients: balanced.coefficients.flatMap((c) => [...c]),
      normsAfter: states.flatMap((state) => state.norms!),
      gradient: parts.flatMap((part, s) => [
        ...combined(balanced.coefficients[s]!, part, lengths[s]!),
      ]),
    }
    expectAgreement(actual, entries.expected as Entries, CLOSED_FORM, `step ${step}`)
  })
}

/** G cut into consecutive groups of columns, each [tasks, its length]. */
function columns(
  grads: Float64Array,
  tasks: number,
  length: number,
  lengths: readonly number[],
): Float64Array[] {
  let from = 0
  return lengths.map((width) => {
    const start = from
    from += width
    return Float64Array.from({ length: tasks * width }, (_, at) => {
      return grads[Math.floor(at / width) * length + start + (at % width)]!
    })
  })
}

/** Buffers and combined gradient after every step. */
export function checkDbMtl(file: GoldenCase): void {
  const tasks = numberIn(file.config, 'T')
  const length = numberIn(file.config, 'P')
  const balancer = dbMtl(dbMtlOptions.parse(file.config))
  let state = balancer.init(tasks, length)
  for (const entries of file.steps) {
    const vectors = {
      gradients: arrayIn(entries, 'grads'),
      losses: arrayIn(entries, 'losses'),
      active: new Uint8Array(tasks).fill(1),
      step: numberIn(entries, 'step') - 1,
    }
    const { gradient, state: after } = balancer.combine(vectors, state)
    state = after
    const buffer = Float64Array.from(after.buffer!)
    const norms = Array.from({ length: tasks }, (_, i) =>
      Math.hypot(...buffer.subarray(i * length, (i + 1) * length)),
    )
    const bufferScale = norms.map((norm) => Math.max(...norms) / (norm + 1e-8))
    const actual = { gradient, bufferAfter: buffer, bufferScale }
    expectAgreement(actual, entries.expected as Entries, CLOSED_FORM, `step ${vectors.step}`)
  }
}

/** The three modes on every row, with the file's epoch instead of a stream's pseudo-epoch. */
export function checkPmtrec(file: GoldenCase): void {
  const tasks = numberIn(file.config, 'T')
  const rows = numberIn(file.config, 'rows')
  const width = numberIn(file.config, 'd')
  for (const entries of file.steps) {
    const epoch = numberIn(entries, 'epoch')
    const block = {
      ...{ gradients: arrayIn(entries, 'rowGrads'), rows, tasks, width },
      step: epoch - 1,
    }
    const norms = rowNorms(block)
    const run = (mode: string): { weights: Float64Array; out: Float64Array } => {
      const options = pmtrecOptions.parse({
        ...{ alpha: file.config.alpha, tau: file.config.tau, mode },
        ...{ stepsPerEpoch: 1, maxFocus: 0 },
      })
      const balancer = pmtrec(options)
      const out = new Float64Array(rows * width).fill(Number.NaN)
      balancer.combine(block, balancer.init(), out)
      return { out, weights: taskWeights(options, block, norms, options.tau) }
    }
    const actual = {
      norms,
      weights: run('paper').weights,
      gradient: run('paper').out,
      maskedWeights: run('masked').weights,
      maskedGradient: run('masked').out,
      maskedTimesActive: run('masked-sum').out,
    }
    expectAgreement(actual, entries.expected as Entries, CLOSED_FORM, `epoch ${epoch}`)
  }
}

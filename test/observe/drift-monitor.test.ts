import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EncodedFeatures } from '../../src/features/encoded-batch.ts'
import { featureListOptions } from '../../src/features/feature-options.ts'
import { compileFeatures } from '../../src/features/feature-spec.ts'
import type { DriftAlarm } from '../../src/health.ts'
import { DriftMonitor } from '../../src/observe/drift-monitor.ts'
import { driftOptions } from '../../src/observe/drift-options.ts'
import { psi } from '../../src/observe/feature-shift.ts'
import type { ScoredBatch } from '../../src/observe/scored-batch.ts'
import { randomFrom } from '../../src/random.ts'
import { stageContract } from '../contracts/stage.contract.ts'

const TASKS = ['click', 'like']
const SPEC = compileFeatures(
  featureListOptions.parse([
    { name: 'user', kind: 'id' },
    { name: 'hour', kind: 'hour' },
    { name: 'user_hour', kind: 'cross', of: ['user', 'hour'] },
    { name: 'price', kind: 'number' },
  ]),
)

function monitorWith(options: Parameters<typeof driftOptions.parse>[0] = {}): DriftMonitor {
  return new DriftMonitor(TASKS, SPEC, driftOptions.parse(options))
}

/** One row of two tasks, of which the second has no label. */
function row(probability: number, click: number, known = 1): ScoredBatch {
  return {
    rows: 1,
    probabilities: Float32Array.of(probability, probability),
    labels: Float32Array.of(click, 0),
    mask: Uint8Array.of(known, 0),
  }
}

/** One row whose keys are this hash in every slot. */
function featuresOf(hash: number, price: number): EncodedFeatures {
  const keys = { hi: Uint32Array.of(hash), lo: Uint32Array.of(0) }
  const slot = { ...keys, starts: Uint32Array.of(0, 1), pooling: 'single' as const }
  return { rows: 1, slots: [slot, slot, slot], dense: Float32Array.of(price), denseWidth: 1 }
}

/** Clicks at one rate, then at another, predicted by the first. */
function alarmsOf(monitor: DriftMonitor, rateAt: (n: number) => number, rows: number, seed = 2) {
  const random = randomFrom(seed)
  const alarms: DriftAlarm[] = []
  for (let n = 0; n < rows; n++) {
    const click = random.uniform() < rateAt(n) ? 1 : 0
    alarms.push(...monitor.observe(row(rateAt(0), click), n))
  }
  return alarms
}

describe('the drift monitor', () => {
  it('notices that label rate and loss of a task have changed, by both detectors, and says when', () => {
    const monitor = monitorWith()
    const alarms = alarmsOf(monitor, (n) => (n < 20_000 ? 0.2 : 0.4), 30_000)
    const names = alarms.map(({ task, signal, detector }) => `${task} ${signal} ${detector}`)
    expect([...new Set(names)].sort()).toEqual([
      'click label-rate adwin',
      'click label-rate page-hinkley',
      'click loss adwin',
      'click loss page-hinkley',
    ])
    const [first] = alarms
    expect(first?.at).toBeGreaterThanOrEqual(20_000)
    expect(first?.at).toBeLessThan(22_000)
    expect(first?.before).toBeCloseTo(first?.signal === 'loss' ? 0.5 : 0.2, 1)
    expect(first?.after).toBeGreaterThan(first?.before ?? 1)
    expect(monitor.totals().reduce((sum, one) => sum + one.alarms, 0)).toBe(alarms.length)
  })

  it('takes a label rate that falls for drift, but no loss that falls', () => {
    const alarms = alarmsOf(monitorWith(), (n) => (n < 20_000 ? 0.3 : 0.1), 30_000)
    expect(new Set(alarms.map(({ signal }) => signal))).toEqual(new Set(['label-rate']))
    for (const { before, after } of alarms) expect(after).toBeLessThan(before)
  })

  it('is quiet on streams that do not change, and on labels that are not known', () => {
    for (const seed of [1, 2]) {
      const monitor = monitorWith()
      expect(
        alarmsOf(monitor, () => 0.25, 100_000, seed),
        `seed ${seed}`,
      ).toEqual([])
      for (let n = 0; n < 5_000; n++) expect(monitor.observe(row(0.25, 1, 0), n)).toEqual([])
    }
  })

  it('compares the last values of a feature with the past, but for those that follow the clock', () => {
    const monitor = monitorWith({ feature_rows: 1_000 })
    const random = randomFrom(4)
    const see = (rows: number, hashes: number, price: number): void => {
      for (let n = 0; n < rows; n++) {
        monitor.observeFeatures(featuresOf(random.integer(hashes), price + random.normal()))
      }
    }
    see(1_000, 2 ** 32, 0)
    expect(monitor.shifts()).toEqual([
      { feature: 'user', psi: undefined },
      { feature: 'price', psi: undefined },
    ])
    see(5_000, 2 ** 32, 0)
    for (const { psi, feature } of monitor.shifts()) expect(psi, feature).toBeLessThan(0.1)
    see(1_000, 2 ** 31, 2)
    for (const { psi, feature } of monitor.shifts()) expect(psi, feature).toBeGreaterThan(0.25)
  })
})

it('PSI is that of the formula: nothing for equal shares, large for moved ones', () => {
  expect(psi([1000, 1000], [500, 500])).toBeCloseTo(0, 5)
  const moved = psi([8000, 2000], [5000, 5000])
  expect(moved).toBeCloseTo(0.3 * Math.log(0.8 / 0.5) + 0.3 * Math.log(0.5 / 0.2), 3)
  expect(psi([100, 0], [100, 0])).toBe(0)
})

const drawnRow = fc.record({
  p: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
  click: fc.nat(1),
  known: fc.nat(1),
  user: fc.nat(5),
})

stageContract({
  name: 'the drift monitor',
  histories: fc.array(drawnRow, { maxLength: 240, size: 'max' }).map((inputs) => ({
    make: () => monitorWith({ block: 8, feature_rows: 100 }),
    inputs,
  })),
  feed: (monitor, rows) => ({
    alarms: rows.flatMap(({ p, click, known, user }) => {
      monitor.observeFeatures(featuresOf(user * 2 ** 28, p))
      return monitor.observe(row(p, click, known), 0)
    }),
  }),
  runs: 30,
})

/** @file The gate (law 8): each rule holds a sick version back and lets a healthy one through, and a saved gate decides on. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Gate, type Verdict } from '../../src/publish/gate.ts'
import type { GateEvidence, TaskEvidence } from '../../src/publish/gate-checks.ts'
import { type GateOptions, gateOptions } from '../../src/publish/gate-options.ts'
import { PackedRows } from '../../src/publish/packed-rows.ts'
import type { UpdateContent } from '../../src/publish/update.ts'
import { stageContract } from '../contracts/stage.contract.ts'
import { randomBatches } from '../train/small-learner.ts'
import { MOMENT, smallTrainer } from './small-trainer.ts'

const { learner, publisher } = smallTrainer()
for (const { features, labels } of randomBatches(4, 5)) {
  learner.learn(features, labels)
  publisher.observe(features, 0)
}
const HEALTHY = publisher.draft(MOMENT)

/** A healthy draft with other samples, and weights changed by hand. */
function draft(
  samples = 50_000,
  change: (update: UpdateContent) => void = () => undefined,
): UpdateContent {
  const copy = {
    ...HEALTHY,
    header: { ...HEALTHY.header, samples },
    dense: HEALTHY.dense.map((one) => ({ ...one, values: one.values.slice() })),
    rows: PackedRows.exact(
      { keys: HEALTHY.rows.keys, values: HEALTHY.rows.values.slice() },
      HEALTHY.header.table.width,
    ),
    probe: { ...HEALTHY.probe, scores: HEALTHY.probe.scores.slice() },
  }
  change(copy)
  return copy
}

const evidence = (change: Partial<TaskEvidence> = {}, outages: string[] = []): GateEvidence => ({
  tasks: [
    {
      task: 'click',
      samples: 10_000,
      positives: 2_000,
      auc: 0.75,
      normalizedEntropy: 0.85,
      calibration: 1,
      ...change,
    },
  ],
  outages,
})

const gateWith = (options: Partial<GateOptions> = {}): Gate => new Gate(gateOptions.parse(options))
const rules = ({ findings }: Verdict): string[] =>
  findings.map(({ rule, subject }) => `${rule} ${subject}`)

test('a healthy version is published, and so is the next', () => {
  const gate = gateWith()
  for (let i = 0; i < 3; i++) {
    expect(gate.judge(draft(), evidence())).toEqual({
      outcome: 'published',
      sequence: 1,
      samples: 50_000,
      findings: [],
      heldInRow: 0,
    })
  }
})

describe('weights', () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'that are %s are never published, even with the gate off',
    (value) => {
      const sick: [string, (update: UpdateContent) => void][] = [
        [
          'tower.0.out.weight',
          ({ dense }) =>
            void dense.find(({ name }) => name === 'tower.0.out.weight')?.values.fill(value),
        ],
        ['rows', ({ rows }) => void rows.values.fill(value, 3, 4)],
        ['probe', ({ probe }) => void probe.scores.fill(value, 0, 1)],
      ]
      for (const [subject, change] of sick) {
        for (const enabled of [true, false]) {
          expect(rules(gateWith({ enabled }).judge(draft(0, change), evidence()))).toContain(
            `not-finite ${subject}`,
          )
        }
      }
    },
  )

  test('that explode are held back by their norm', () => {
    const exploded = draft(0, ({ rows }) => void rows.values.fill(1e5, 0, 1))
    expect(rules(gateWith().judge(exploded, evidence()))).toEqual(['norm rows'])
    expect(rules(gateWith({ max_norm: 1e6 }).judge(exploded, evidence()))).toEqual([])
    const dense = draft(0, ({ dense }) => void dense[0]?.values.fill(1e5))
    expect(rules(gateWith().judge(dense, evidence()))).toEqual([`norm ${HEALTHY.dense[0]?.name}`])
  })

  test('that grew much since the last published version are held back', () => {
    const gate = gateWith()
    gate.judge(draft(), evidence())
    const grown = draft(50_000, ({ dense }) => {
      for (const { values } of dense) values.set(values.map((value) => value * 20))
    })
    expect(rules(gate.judge(grown, evidence()))).toEqual(['norm-growth dense'])
    expect(rules(gate.judge(draft(), evidence()))).toEqual([])
  })
})

describe('quality', () => {
  test.each([
    ['calibration', { calibration: 3 }, {}],
    ['calibration', { calibration: 0.3 }, {}],
    ['normalized-entropy', { normalizedEntropy: 2.5 }, {}],
    ['auc', { auc: 0.55 }, { min_auc: 0.6 }],
  ] as const)('outside of the bounds of %s holds back: %o', (rule, change, options) => {
    expect(rules(gateWith(options).judge(draft(), evidence(change)))).toEqual([`${rule} click`])
    // Too few samples learned from, or too few positives: no judgement.
    expect(rules(gateWith(options).judge(draft(10_000), evidence(change)))).toEqual([])
    expect(rules(gateWith(options).judge(draft(), evidence({ ...change, positives: 99 })))).toEqual(
      [],
    )
    expect(
      rules(gateWith({ ...options, enabled: false }).judge(draft(), evidence(change))),
    ).toEqual([])
  })

  test('that fell against the last published version holds back, not against a held one', () => {
    const gate = gateWith()
    gate.judge(draft(), evidence({ auc: 0.75 }))
    const first = gate.judge(draft(), evidence({ auc: 0.6 }))
    expect(first).toMatchObject({ outcome: 'held', heldInRow: 1 })
    expect(first.findings[0]?.message).toMatch(
      /^click: AUC fell by 0.15 since version 1, at most 0.07/,
    )
    expect(gate.judge(draft(), evidence({ auc: 0.6 }))).toMatchObject({
      outcome: 'held',
      heldInRow: 2,
    })
    expect(gate.judge(draft(), evidence({ auc: 0.72 }))).toMatchObject({ outcome: 'published' })
  })

  test('that fell by less than the noise of the measurement does not', () => {
    const few = { samples: 5_000, positives: 100 }
    const gate = gateWith()
    gate.judge(draft(), evidence({ auc: 0.75, ...few }))
    expect(rules(gate.judge(draft(), evidence({ auc: 0.65, ...few })))).toEqual([])
    expect(rules(gate.judge(draft(), evidence({ auc: 0.4, ...few })))).toEqual(['auc-drop click'])
  })

  test('that stays low is the new normal once patience is over, within the fixed bounds', () => {
    const gate = gateWith({ patience: 3 })
    gate.judge(draft(), evidence({ auc: 0.9 }))
    const low = evidence({ auc: 0.6 })
    const outcomes = Array.from({ length: 4 }, () => gate.judge(draft(), low).outcome)
    expect(outcomes).toEqual(['held', 'held', 'held', 'published'])
    for (let i = 0; i < 5; i++) {
      expect(rules(gate.judge(draft(), evidence({ auc: 0.6, calibration: 9 })))).toEqual([
        'calibration click',
      ])
    }
  })
})

test('a label outage holds back as long as it lasts', () => {
  const gate = gateWith()
  for (let i = 0; i < 12; i++) {
    expect(rules(gate.judge(draft(), evidence({}, ['like'])))).toEqual(['label-outage like'])
  }
  expect(rules(gate.judge(draft(), evidence()))).toEqual([])
})

const judgement = fc.record({
  auc: fc.double({ min: 0.4, max: 0.9, noNaN: true }),
  calibration: fc.double({ min: 0.2, max: 2.5, noNaN: true }),
  positives: fc.integer({ min: 50, max: 5_000 }),
  outage: fc.boolean(),
})

stageContract({
  name: 'the gate',
  histories: fc.record({
    make: fc.constant(() => gateWith({ patience: 3 })),
    inputs: fc.array(judgement, { maxLength: 12 }),
  }),
  feed: (gate, inputs) => ({
    verdicts: inputs.map(({ outage, ...change }) =>
      gate.judge(draft(), evidence(change, outage ? ['like'] : [])),
    ),
  }),
  runs: 40,
})

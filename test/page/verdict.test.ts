import { describe, expect, test } from 'vitest'
import { unusedExperts, verdictOf } from '../../web/verdict.ts'
import { type qualityOf, statusOf, taskQuality } from '../observe/reports.ts'

const WELL = statusOf({ tasks: [taskQuality('click')] })

function worst(changes: Parameters<typeof statusOf>[0]): string[] {
  const { state, reasons } = verdictOf(statusOf({ ...WELL, ...changes }))
  return [state, ...reasons.filter((reason) => reason.state === state).map(({ text }) => text)]
}

describe('the verdict of the page', () => {
  test('is good when samples come, figures are sound and versions are new; it names the change of AUC', () => {
    const { state, title, reasons } = verdictOf(WELL, { click: 0.7 })
    expect([state, title]).toEqual(['good', 'It learns, and it is fresh'])
    expect(reasons.map(({ text }) => text)).toContain('click: AUC 0.7123, +0.0123 over the chart')
  })

  test('waits before the first sample, the first version and enough positives', () => {
    expect(worst({ samples: 0, events: 0 })).toContain('no event has come yet')
    expect(worst({ version: undefined })).toContain('no version is published yet')
    expect(worst({ tasks: [taskQuality('click', { positives: 7 })] })).toEqual([
      'wait',
      'click: 7 positives so far',
    ])
  })

  test('an idle learner that has read everything is not at fault', () => {
    const [state] = worst({ samplesPerSecond: 0, lagRecords: 0, at: WELL.at + 3_600_000 })
    expect(state).toBe('good')
  })

  test('says what is wrong: chance, base rate, calibration, lag, an old version, collapsed experts, dead units', () => {
    const withQuality = (changes: Partial<ReturnType<typeof qualityOf>>) =>
      worst({ tasks: [taskQuality('click', changes)] })
    expect(withQuality({ auc: 0.49 })[0]).toBe('bad')
    expect(withQuality({ normalizedEntropy: 1.01 })[0]).toBe('warn')
    expect(withQuality({ calibrationRatio: 2 })[1]).toMatch(/predicts too much, 2\.0000/)
    expect(worst({ lagRecords: 5_000_000 })[1]).toMatch(/records behind: 16\.3 min/)
    expect(worst({ samplesPerSecond: 0 })[1]).toMatch(/stands still, with 42 records/)
    const health = { task: 'click', since: 0, usualRate: 0.3, anomalies: 1, lostShare: undefined }
    expect(worst({ labels: [{ ...health, state: 'outage' }] })).toEqual([
      'bad',
      'click: too few labels come; it does not learn until they come as usual',
    ])
    expect(worst({ labels: [{ ...health, state: 'surge' }] })[1]).toMatch(/^click: too many labels/)
    expect(worst({ labels: [{ ...health, state: 'flowing' }] })[0]).toBe('good')
    const [version] = WELL.versions
    if (version === undefined) throw new Error('no version')
    const versions = [0, 1, 2].map((i) => ({ ...version, at: WELL.at - 600_000 - i * 20_000 }))
    expect(worst({ version: versions[0], versions })[1]).toMatch(/10\.0 min old; usually one comes/)
    const findings = [
      { rule: 'calibration' as const, subject: 'click', message: 'click: predicted too much' },
    ]
    const verdict = { outcome: 'held' as const, sequence: 4, samples: 9, findings, heldInRow: 2 }
    expect(worst({ verdict })).toEqual([
      'bad',
      'the gate held back 2 in a row: click: predicted too much',
    ])
    const examined = {
      kind: 'examined' as const,
      steps: 1,
      cosines: [1],
      gates: [{ gate: 'gate.task.0', shares: [0.999, 0.001] }],
      layers: [{ layer: 'expert.0.layer.0', units: 8, dead: 5 }],
    }
    expect(worst({ examined })).toEqual([
      'warn',
      'expert 1 of gate.task gets 0.10 % at most: it has collapsed',
      'more than half of the units are dead in expert.0.layer.0',
    ])
  })

  test('an expert that one task uses has not collapsed', () => {
    const gates = [
      { gate: 'gate.task.0', shares: [1, 0] },
      { gate: 'gate.task.1', shares: [0.5, 0.5] },
    ]
    expect(unusedExperts(gates)).toEqual([])
  })
})

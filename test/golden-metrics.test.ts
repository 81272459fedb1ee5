/** @file The metrics against numbers from scikit-learn, the STEM repository and direct formulas; 1e-10 absolute. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { auc } from '../src/observe/auc.ts'
import {
  calibrationBins,
  calibrationRatio,
  expectedCalibrationError,
} from '../src/observe/calibration.ts'
import { groupedAuc } from '../src/observe/grouped-auc.ts'
import { logLoss, normalizedEntropy } from '../src/observe/log-loss.ts'
import { goldenFolder } from './golden-folder.ts'

const TOLERANCE = 1e-10
const { path: directory, names: files, strange } = goldenFolder('metrics')

const array = z
  .strictObject({ shape: z.array(z.int()), data: z.array(z.number()) })
  .refine(({ shape, data }) => shape.reduce((a, b) => a * b, 1) === data.length)
  .transform(({ data }) => data)
const figure = z.number().nullable()
const goldenCase = z.object({
  case: z.string(),
  scores: array,
  labels: array,
  users: array,
  // Strict: an expected figure that nobody compares would pass unseen.
  expected: z.strictObject({
    auc: figure,
    gauc: figure,
    gaucUsers: z.number(),
    gaucRows: z.number(),
    avgAuc: figure,
    logloss: figure,
    normalizedEntropy: figure,
    ece: figure,
    calibrationRatio: figure,
    bins: z.strictObject({ count: array, scoreSum: array, labelSum: array }),
  }),
})

let compared = 0

function expectFigure(name: string, actual: number | undefined, expected: number | null): void {
  compared += 1
  if (expected === null) expect(actual, name).toBeUndefined()
  else expect(Math.abs((actual ?? Number.NaN) - expected), name).toBeLessThanOrEqual(TOLERANCE)
}

function expectFigures(name: string, actual: Float64Array, expected: readonly number[]): void {
  expect(actual.length, name).toBe(expected.length)
  expected.forEach((value, i) => {
    expectFigure(`${name}[${i}]`, actual[i], value)
  })
}

test('the folder holds nothing but golden files', () => {
  expect(strange).toEqual([])
})

describe.each(files)('%s', (file) => {
  test('every figure is the reference figure', () => {
    const golden = goldenCase.parse(JSON.parse(readFileSync(join(directory, file), 'utf8')))
    const { scores, labels, users, expected } = golden
    const grouped = groupedAuc(scores, labels, users)
    const loss = logLoss(scores, labels)
    const baseRate = labels.reduce((a, b) => a + b, 0) / labels.length
    const bins = calibrationBins(scores, labels, expected.bins.count.length)
    expectFigure('auc', auc(scores, labels), expected.auc)
    expectFigure('gauc', grouped.gauc, expected.gauc)
    expectFigure('avgAuc', grouped.meanAuc, expected.avgAuc)
    expect(grouped.groups).toBe(expected.gaucUsers)
    expect(grouped.rows).toBe(expected.gaucRows)
    expectFigure('logloss', loss, expected.logloss)
    expectFigure(
      'normalizedEntropy',
      normalizedEntropy(loss ?? Number.NaN, baseRate),
      expected.normalizedEntropy,
    )
    expectFigure('ece', expectedCalibrationError(bins), expected.ece)
    expectFigure('calibrationRatio', calibrationRatio(scores, labels), expected.calibrationRatio)
    expectFigures('bins.count', bins.count, expected.bins.count)
    expectFigures('bins.scoreSum', bins.scoreSum, expected.bins.scoreSum)
    expectFigures('bins.labelSum', bins.labelSum, expected.bins.labelSum)
  })
})

afterAll(() => {
  console.log(`golden metrics: ${files.length} files, ${compared} figures within ${TOLERANCE}`)
})

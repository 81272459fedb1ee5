/** @file The `balance` and `row_balance` sections: snake_case in the file, camelCase for the methods, and what must fit. */

import { expect, test } from 'vitest'
import { BALANCERS, balancerFrom } from '../../src/balance/balancers.ts'
import { rowBalancerFrom } from '../../src/balance/row-balancers.ts'
import { balanceOptions, rowBalanceSettings } from '../../src/settings/balance-options.ts'
import { parseJob } from '../../src/settings/job.ts'
import { JOB_TEXT } from './job-text.ts'

const BALANCE = /balance:\n {2}kind: gradnorm\n {2}alpha: 1.5\n/

/** The valid job with another balance section, and more at its end. */
function jobWith(balance: string, more = '') {
  expect(JOB_TEXT).toMatch(BALANCE)
  return parseJob('job.yaml', `${JOB_TEXT.replace(BALANCE, `${balance}\n`)}${more}`)
}

test('every method can be named, and gets its defaults', () => {
  for (const { kind } of BALANCERS) {
    const settings = balanceOptions.parse({ kind })
    expect(settings.kind).toBe(kind)
    expect(balancerFrom(settings).name).toBe(kind)
  }
  for (const kind of ['pmtrec', 'metabalance']) {
    expect(rowBalancerFrom(rowBalanceSettings.parse({ kind })).name).toBe(kind)
  }
})

test('names in the file are snake_case, inside objects too', () => {
  const job = jobWith(
    'balance: { kind: famo, learning_rate: 0.5, loss_floor: 0.1, bounds: { max_norm: 2 } }',
    'row_balance: { kind: pmtrec, steps_per_epoch: 50, relative_tau: true }',
  )
  expect(job.balance).toMatchObject({
    kind: 'famo',
    learningRate: 0.5,
    lossFloor: 0.1,
    bounds: { maxNorm: 2 },
  })
  expect(job.row_balance).toMatchObject({ kind: 'pmtrec', stepsPerEpoch: 50, relativeTau: true })
})

test('a job without a row balancer has none', () => {
  expect(jobWith('balance: { kind: equal }').row_balance).toBeUndefined()
})

test.each([
  ['balance: { kind: famo, learningRate: 1 }', '', 'did you mean learning_rate?'],
  ['balance: { kind: pcgraf }', '', 'did you mean pcgrad?'],
  [
    'balance: { kind: equal }',
    'row_balance: { kind: pmtrec, stepsPerEpoch: 5 }',
    'steps_per_epoch',
  ],
  ['balance: { kind: metabalance, target: 2 }', '', 'must be the place of a task, 0 to 1'],
  ['balance: { kind: equal }', 'row_balance: { kind: pmtrec, main: 2 }', '0 to 1'],
  ['balance: { kind: db-mtl }', '', 'set train.gradients_at: parameters'],
  ['balance: { kind: rlw, smoothing: {} }', '', 'remove balance.smoothing'],
])('%s %s is refused when the job is checked: %s', (balance, more, message) => {
  expect(() => jobWith(balance, more)).toThrow(
    expect.objectContaining({ code: 'BAD_SETTINGS', message: expect.stringContaining(message) }),
  )
})

test('db-mtl is accepted where its vectors stay the same', () => {
  const at = '  gradients_at: parameters\n'
  const text = JOB_TEXT.replace(BALANCE, 'balance: { kind: db-mtl }\n').replace(
    'train:\n',
    `train:\n${at}`,
  )
  expect(parseJob('job.yaml', text).balance.kind).toBe('db-mtl')
})

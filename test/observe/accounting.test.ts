import { expect, test } from 'vitest'
import { unaccounted } from '../../src/observe/accounting.ts'
import { accountingOf } from './reports.ts'

test('nothing is unaccounted while every record is in one counted place', () => {
  expect(unaccounted(accountingOf('click'))).toBe(0)
})

test('a lost record shows as positive and a record counted twice as negative', () => {
  const input = accountingOf('click')
  expect(unaccounted({ ...input, in: input.in + 1 })).toBe(1)
  expect(unaccounted({ ...input, joined: input.joined + 2 })).toBe(-2)
})

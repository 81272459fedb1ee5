import { expect, test } from 'vitest'
import { tokenCheck } from '../../src/serve/http-token.ts'

const allowed = tokenCheck({ reveal: () => 's3cret-Token' })

test.each([['Bearer s3cret-Token'], ['bearer   s3cret-Token']])(
  '%j carries the token',
  (header) => {
    expect(allowed(header)).toBe(true)
  },
)

test.each([
  [undefined],
  [''],
  ['Bearer'],
  ['Bearer '],
  ['s3cret-Token'],
  ['Basic s3cret-Token'],
  ['Bearer s3cret-token'],
  ['Bearer s3cret-Toke'],
  ['Bearer s3cret-Token x'],
  ['Bearer s3cret-Token, Bearer other'],
])('%j does not', (header) => {
  expect(allowed(header)).toBe(false)
})

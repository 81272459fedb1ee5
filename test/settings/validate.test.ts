import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { MillraceError } from '../../src/errors.ts'
import { validate } from '../../src/settings/validate.ts'
import { parseYaml } from '../../src/settings/yaml-source.ts'

/** The problems of a small file, without the file's name. */
function problemsOf(schema: z.ZodType, text: string): string[] {
  try {
    validate(schema, parseYaml('a.yaml', text))
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    return error.message.split('\n').map((line) => line.replace('a.yaml:', ''))
  }
  return []
}

/** Problem of one value under the key `x`. */
function problemOf(x: z.ZodType, value: string): string | undefined {
  return problemsOf(z.strictObject({ x }), `x: ${value}`)[0]?.replace('1: x ', '')
}

describe('validate', () => {
  test('gives the typed value with defaults', () => {
    const schema = z.strictObject({ train: z.strictObject({ batch: z.int().default(64) }) })
    expect(validate(schema, parseYaml('a.yaml', 'train: {}'))).toEqual({ train: { batch: 64 } })
  })

  test('shows an example from the schema, else its default, else its description', () => {
    const number = z.int().min(1)
    expect(problemOf(number.meta({ examples: [128] }).default(64), '-3')).toBe(
      'is -3: must be at least 1 (e.g. x: 128)',
    )
    expect(problemOf(number.default(64), '-3')).toBe('is -3: must be at least 1 (e.g. x: 64)')
    expect(problemOf(number.describe('rows'), '-3')).toBe('is -3: must be at least 1 (rows)')
    expect(problemOf(number, '-3')).toBe('is -3: must be at least 1')
  })

  test.each([
    [z.string(), '3', 'is 3: must be text'],
    [z.number(), '"3"', 'is "3": must be a number'],
    [z.int(), '3.5', 'is 3.5: must be a whole number'],
    [z.boolean(), 'on', 'is "on": must be true or false'],
    [z.array(z.int()), '{ a: 1 }', 'is a mapping: must be a list'],
    [z.strictObject({}), '[1]', 'is a list: must be a mapping (key: value lines)'],
    [z.string(), '', 'is empty: must be text'],
    [z.number().lt(1), '1', 'is 1: must be below 1'],
    [z.number().gt(0), '0', 'is 0: must be above 0'],
    [z.number().max(5), '9', 'is 9: must be at most 5'],
    [z.number().multipleOf(8), '9', 'is 9: must be a multiple of 8'],
    [z.string().min(1), '""', 'is "": must not be empty'],
    [z.string().max(2), 'abc', 'is "abc": must have at most 2 characters'],
    [z.array(z.int()).min(2), '[1]', 'is a list: must have at least 2 entries'],
    [
      z.enum(['red', 'green']),
      'gren',
      'is "gren": must be one of red, green (did you mean green?)',
    ],
    [z.literal('red'), 'blue', 'is "blue": must be red'],
    [z.string().regex(/^a+$/), 'b', 'is "b": must match /^a+$/'],
    [z.string().regex(/^a+$/, 'only the letter a'), 'b', 'is "b": must be only the letter a'],
    [z.union([z.string(), z.array(z.string())]), '3', 'is 3: must be text or a list'],
    [z.int().refine((n) => n % 2 === 0, { message: 'must be even' }), '3', 'is 3: must be even'],
  ])('%#: says what would be right', (schema, value, expected) => {
    expect(problemOf(schema, value)).toBe(expected)
  })

  test('a problem inside one option of a union is reported where it is', () => {
    const schema = z.strictObject({
      key: z.union([z.string(), z.strictObject({ user: z.string(), item: z.string() })]),
    })
    expect(problemsOf(schema, 'key:\n  user: a\n  itme: b\n')).toEqual([
      '1: key.item is missing: must be text',
      '3: key.itme is not a setting: did you mean item?',
    ])
  })

  test('what is marked as secret is hidden, whatever it is called', () => {
    const pin = z.int().meta({ secret: true })
    expect(problemOf(pin, 'hunter2')).toBe('is (hidden): must be a number')
    expect(problemOf(pin.default(1), 'hunter2')).toMatch(/^is \(hidden\): must be a number/)
  })

  test('a long value is cut, and credentials are taken out of an address', () => {
    const long = problemOf(z.int(), 'y'.repeat(500)) ?? ''
    expect(long.length).toBeLessThan(120)
    expect(problemOf(z.int(), 'https://user:hunter2@host/path')).toBe(
      'is "https://(hidden)@host/path": must be a number',
    )
  })

  test('a key of a record is checked and named', () => {
    const schema = z.record(z.string().regex(/^[a-z]+$/, 'lower-case letters'), z.int())
    expect(problemsOf(schema, 'good: 1\nBAD: 2\n')).toEqual([
      '2: BAD is 2: must be lower-case letters',
    ])
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  expandSettings,
  expandText,
  readSecret,
  Secret,
  secretReference,
} from '../../src/settings/environment.ts'

const PLANTED = 'hunter2'

describe('Secret', () => {
  test('is printed by nothing, and given away by reveal alone', () => {
    const secret = new Secret(PLANTED)
    const printed = [
      String(secret),
      `${secret}`,
      JSON.stringify({ secret }),
      inspect({ secret }, { showHidden: true, depth: 9 }),
      JSON.stringify(Object.entries(secret)),
      String(new Error('failed', { cause: secret }).cause),
    ]
    for (const text of printed) expect(text).not.toContain(PLANTED)
    expect(secret.reveal()).toBe(PLANTED)
  })
})

describe('readSecret', () => {
  test('takes an environment variable', () => {
    expect(readSecret({ from_env: 'KEY' }, { KEY: PLANTED }).reveal()).toBe(PLANTED)
  })

  test('takes a file without its last newline', () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-secret-'))
    try {
      const file = join(directory, 'password')
      writeFileSync(file, `${PLANTED}\n\n`)
      expect(readSecret({ from_file: file }, {}).reveal()).toBe(`${PLANTED}\n`)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test('says what to do when there is none', () => {
    expect(() => readSecret({ from_env: 'KEY' }, {})).toThrow(
      expect.objectContaining({ code: 'BAD_SETTINGS', remedy: 'export KEY=... before the start' }),
    )
    expect(() => readSecret({ from_file: '/nowhere/key' }, {})).toThrow(
      expect.objectContaining({
        code: 'BAD_SETTINGS',
        remedy: expect.stringContaining('/nowhere/key'),
      }),
    )
    expect(() => readSecret({ from_env: 'constructor' }, {})).toThrow('is not set')
  })
})

describe('expandText', () => {
  test('replaces variables, keeps what is escaped, and expands a value only once', () => {
    const environment = { DIR: '/data', NESTED: `\${DIR}`, EMPTY: '' }
    expect(expandText(`\${DIR}/bus`, environment)).toBe('/data/bus')
    expect(expandText(`$\${DIR}/\${DIR}`, environment)).toBe(`\${DIR}//data`)
    expect(expandText(`\${NESTED}`, environment)).toBe(`\${DIR}`)
    expect(expandText(`[\${EMPTY}] costs $5`, environment)).toBe('[] costs $5')
  })

  test(`text without \${ stays as it is`, () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes(`\${`)),
        (text) => expandText(text, {}) === text,
      ),
      { seed: 51 },
    )
  })

  test('a variable that is not set is named, its neighbours are not printed', () => {
    expect(() => expandText(`\${SET}\${MISSING}`, { SET: PLANTED })).toThrow(
      expect.objectContaining({
        code: 'BAD_SETTINGS',
        message: 'the environment variable MISSING is not set',
      }),
    )
  })
})

const KEY = `\${A}`

test('expandSettings reaches every text, and neither keys nor references to secrets', () => {
  const settings = {
    bus: { brokers: [`\${A}:1`, 'b:2'], sasl: { password: { from_env: 'A' } }, partitions: 2 },
    [KEY]: undefined,
  }
  expect(expandSettings(settings, { A: 'host' })).toEqual({
    bus: { brokers: ['host:1', 'b:2'], sasl: { password: { from_env: 'A' } }, partitions: 2 },
    [KEY]: undefined,
  })
})

test('a reference is one of the two forms and nothing else', () => {
  expect(secretReference.safeParse({ from_env: 'KEY' }).success).toBe(true)
  for (const wrong of [PLANTED, {}, { from_env: 'A B' }, { from_env: 'A', from_file: 'b' }]) {
    expect(secretReference.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false)
  }
})

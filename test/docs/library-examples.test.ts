/** @file Every example in examples/library compiles against the built package and runs, and together they use the whole API. */

import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as api from '../../src/index.ts'
import { packageCopy, runShell } from './package-copy.ts'
import { compileErrors, runTypeScript } from './typescript-block.ts'

const EXAMPLES = 'examples/library'
const files = readdirSync(EXAMPLES).filter((name) => name.endsWith('.ts'))
const codeOf = (name: string): string => readFileSync(`${EXAMPLES}/${name}`, 'utf8')

describe('the library examples', () => {
  let folder = ''

  beforeAll(async () => {
    folder = packageCopy()
    const ran = await runShell(folder, 'npm start')
    expect(ran.code, ran.all).toBe(0)
  }, 60_000)

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('are there, and use every value of the public API', () => {
    expect(files.length).toBeGreaterThan(5)
    const all = files.map(codeOf).join('\n')
    const unused = Object.keys(api).filter((name) => !new RegExp(`\\b${name}\\b`).test(all))
    expect(unused).toEqual([])
  })

  test('compile as a user would compile them', () => {
    const codes = new Map(files.map((name) => [name.replace('.ts', ''), codeOf(name)]))
    expect(compileErrors(folder, codes)).toEqual([])
  })

  for (const name of files) {
    test(`${name} runs`, async () => {
      const printed = await runTypeScript(folder, name.replace('.ts', ''), codeOf(name))
      expect(printed.code, printed.all).toBe(0)
      if (name !== 'append.ts') expect(printed.stdout).not.toBe('')
    })
  }

  test('read-update.ts followed full and delta updates', async () => {
    const printed = await runShell(folder, 'node blocks/read-update.mjs')
    expect(printed.stdout).toMatch(/version 1, full: \d+ rows/)
    expect(printed.stdout).toMatch(/version 2, delta: \d+ rows/)
  })

  test('the shop that append.ts fills is learned from', async () => {
    const ran = await runShell(
      folder,
      'millrace check examples/library/shop/job.yaml && millrace run examples/library/shop/job.yaml --exit',
    )
    expect(ran.code, ran.all).toBe(0)
    expect(ran.stdout).toMatch(/purchases\s+│\s+14[23]\s+│\s+14[23]/)
  })
})

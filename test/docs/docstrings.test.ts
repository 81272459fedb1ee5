/** @file Every example in a docstring compiles as a user would compile it, and runs. */

import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeBlocks } from './markdown.ts'
import { packageCopy } from './package-copy.ts'
import { compileErrors, runTypeScript } from './typescript-block.ts'

interface Example {
  readonly name: string
  readonly code: string
}

/** The TypeScript blocks of a file's docstrings. */
function examplesIn(file: string): Example[] {
  const docstrings = readFileSync(file, 'utf8').match(/^\/\*\*\n(?: \*.*\n)+? \*\/$/gm) ?? []
  const text = docstrings.join('\n').replaceAll(/^ \* ?/gm, '')
  return codeBlocks(file, text).map(({ text: code }, i) => ({
    name: `${file.replaceAll(/\W/g, '-')}-${i + 1}`,
    code,
  }))
}

const examples = ['src', 'topology']
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name))),
  )
  .filter((file) => file.endsWith('.ts'))
  .flatMap(examplesIn)

describe('the examples of the docstrings', () => {
  let folder = ''

  beforeAll(() => {
    folder = packageCopy()
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('are there: learner() has two', () => {
    expect(examples.filter(({ name }) => name.includes('library'))).toHaveLength(2)
  })

  test('compile', () => {
    const codes = new Map(examples.map(({ name, code }) => [name, code]))
    expect(compileErrors(folder, codes)).toEqual([])
  })

  test.each(examples)('$name runs', async ({ name, code }) => {
    const printed = await runTypeScript(folder, name, code)
    expect(printed.code, printed.all).toBe(0)
    expect(printed.stdout).not.toBe('')
  })
})

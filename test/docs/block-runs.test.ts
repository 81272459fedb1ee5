/** @file The checker of code blocks is checked: each kind of broken block fails. */

import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PageRun, runBlock } from './block-runs.ts'
import { codeBlocks } from './markdown.ts'
import { packageCopy } from './package-copy.ts'

describe('a block is refused', () => {
  const run: PageRun = { folder: '', printed: undefined }

  beforeAll(() => {
    Object.assign(run, { folder: packageCopy() })
  })

  afterAll(() => rmSync(run.folder, { recursive: true, force: true }))

  /** Runs a page made of the lines, block by block. */
  async function runPage(...lines: readonly string[]): Promise<void> {
    for (const block of codeBlocks('page.md', lines.join('\n'))) await runBlock(run, block)
  }

  test('when a command of it fails, also one that is not the last', async () => {
    await expect(runPage('```sh', 'false', 'true', '```')).rejects.toThrow('page.md:1')
    await expect(runPage('```sh', 'npm run unheard-of', '```')).rejects.toThrow('not known')
    await expect(runPage('```sh', 'npx vitest run test/nowhere', '```')).rejects.toThrow('exist')
    await expect(runPage('```sh', 'millrace chek', '```')).rejects.toThrow('page.md:1')
  })

  test('when it does not compile, or throws', async () => {
    const wrongName = ['```ts', "import { nothing } from 'millrace'", 'nothing()', '```']
    await expect(runPage(...wrongName)).rejects.toThrow('page.md:1')
    await expect(runPage('```ts', "throw new Error('no')", '```')).rejects.toThrow('page.md:1')
  })

  test('when it is not the file that it says it is', async () => {
    const other = ['```ts file=examples/library/score.ts', 'const a = 1', '```']
    await expect(runPage(...other)).rejects.toThrow('is not examples/library/score.ts')
  })

  test('when it is no job, or a section with a mistyped setting', async () => {
    await expect(runPage('```yaml', 'name: alone', '```')).rejects.toThrow('bus')
    const mistyped = ['```yaml fragment', 'publish: { every_sample: 3 }', '```']
    await expect(runPage(...mistyped)).rejects.toThrow('every_sample')
  })

  test('when an output has other words or columns than the program printed', async () => {
    const says = (text: string) => [
      '```sh',
      "echo 'task │ 0.71 │ 3'",
      '```',
      '```text output',
      text,
      '```',
    ]
    await runPage(...says('task │ 0.64 │ 12'))
    await expect(runPage(...says('tusk │ 0.71 │ 3'))).rejects.toThrow('page.md:4')
    await expect(runPage(...says('task │ 0.71'))).rejects.toThrow('page.md:4')
  })

  test('when JSON is broken or has other keys than the file', async () => {
    await expect(runPage('```json', '{ "a": }', '```')).rejects.toThrow('JSON')
    const page = [
      '```sh',
      `echo '{"a":1}' > a.json`,
      '```',
      '```json shape=a.json',
      '{"b":1}',
      '```',
    ]
    await expect(runPage(...page)).rejects.toThrow('page.md:4')
  })

  test('when its language is not known, or nothing says what its text is', async () => {
    await expect(runPage('```cobol', 'STOP RUN', '```')).rejects.toThrow('cobol')
    await expect(runPage('```', 'plain', '```')).rejects.toThrow('page.md:1')
    await expect(runPage('```text', 'plain', '```')).rejects.toThrow('page.md:1')
    await expect(runPage('```sh needs=kafka', 'npm run coffee', '```')).rejects.toThrow('coffee')
    await expect(runPage('```sh needs=kafka', 'millrace brew', '```')).rejects.toThrow('brew')
    await expect(runPage('```sh unless-broken', 'false', '```')).rejects.toThrow('unless-broken')
  })

  test('when it is never closed', () => {
    expect(() => codeBlocks('page.md', '```sh\ntrue')).toThrow('page.md:1: the block is not closed')
  })
})

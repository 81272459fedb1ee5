/** @file Every code block of the README, of CONTRIBUTING and of docs/ works as it stands, in a copy of the built package. */

import { rmSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { runBlock } from './block-runs.ts'
import { allPages, codeBlocks } from './markdown.ts'
import { packageCopy } from './package-copy.ts'

/** Pages whose blocks run here; the tutorial runs in a clone, the schemas' page and the golden vectors' belong to their folders. */
const pages = allPages().filter(
  (page) =>
    (page.startsWith('docs/') && page !== 'docs/tutorial.md') ||
    ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].includes(page),
)

describe('every block', () => {
  test('is found: the README alone has commands, output and TypeScript', () => {
    const languages = new Set(codeBlocks('README.md').map(({ language }) => language))
    expect([...languages].sort()).toEqual(expect.arrayContaining(['sh', 'text', 'ts']))
  })

  for (const page of pages) {
    const blocks = codeBlocks(page)
    if (blocks.length === 0) continue
    test(`of ${page} works (${blocks.length})`, { timeout: 90_000 }, async () => {
      const run = { folder: packageCopy(), printed: undefined }
      try {
        for (const block of blocks) {
          const left = await runBlock(run, block)
          if (left === undefined) continue
          console.warn(`NOT RUN: ${page}:${block.line}: ${left}`)
          // What needs another program has a suite of its own; what lacks only data must run in CI.
          if (block.words.some((word) => word.startsWith('needs='))) continue
          expect(process.env.CI, `${page}:${block.line} must run here: ${left}`).toBeUndefined()
        }
      } finally {
        rmSync(run.folder, { recursive: true, force: true })
      }
    })
  }
})

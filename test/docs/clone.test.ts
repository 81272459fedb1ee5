/**
 * @file The way of a newcomer: from an empty folder `git clone`, then every command of the tutorial as it stands there, with the real
 * npm. Here the packages are those of this checkout and what was built is not built again; `npm run test:clone` does all of it.
 */

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../topology/temporary-job.ts'
import { runBlock } from './block-runs.ts'
import { codeBlocks } from './markdown.ts'

const TUTORIAL = 'docs/tutorial.md'
const INSTALL = process.env.CLONE_INSTALL !== undefined

/** `millrace` as the build made it, and npm without its own lines. */
function writeCommands(clone: string): void {
  const npm = execFileSync('which', ['npm'], { encoding: 'utf8' }).trim()
  const commands = join(clone, '.commands')
  mkdirSync(commands)
  const write = (name: string, body: string): void => {
    writeFileSync(join(commands, name), `#!/usr/bin/env bash\nset -eu\n${body}\n`)
    chmodSync(join(commands, name), 0o755)
  }
  write('millrace', `exec node "${clone}/dist/bin/millrace.js" "$@"`)
  const done = `[ "$1" = ci ] && exit 0
[ "$*" = "run --silent build" ] && [ -e dist/bin/millrace.js ] && exit 0
`
  write('npm', `${INSTALL ? '' : done}exec "${npm}" --silent "$@"`)
  if (!INSTALL) symlinkSync(resolve('node_modules'), join(clone, 'node_modules'))
}

describe('in a fresh clone', () => {
  const run = { folder: join(temporaryFolder(afterAll), 'millrace'), printed: undefined }

  beforeAll(() => {
    execFileSync('git', ['clone', '--quiet', '--depth', '1', `file://${resolve('.')}`, run.folder])
    writeCommands(run.folder)
  })

  test('the commands of the tutorial lead to scores', async () => {
    const page = readFileSync(join(run.folder, TUTORIAL), 'utf8')
    const blocks = codeBlocks(TUTORIAL, page)
    expect(blocks.filter(({ language }) => language === 'sh').length).toBeGreaterThan(5)
    for (const block of blocks) await runBlock(run, block)
    const scored = JSON.parse(readFileSync(join(run.folder, 'scores.ndjson'), 'utf8'))
    expect(scored.scores).toEqual({ cart: expect.any(Number), purchase: expect.any(Number) })
  }, 600_000)
})

/** @file The packed package as its users get it: sound for the tools that check packages, and installed by npm in an empty folder. */

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../topology/temporary-job.ts'
import { compileErrors } from './typescript-block.ts'

const folder = temporaryFolder(afterAll)

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

describe('the packed package', () => {
  let tarball = ''
  let files: readonly string[] = []

  beforeAll(() => {
    const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
    const [packed] = JSON.parse(execFileSync('npm', args, { encoding: 'utf8' })) as [Packed]
    tarball = join(folder, packed.filename)
    files = packed.files.map(({ path }) => path)
  })

  test('has what runs, and no benches', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'dist/bin/millrace.js',
        'dist/src/index.d.ts',
        'dist/web/page.js',
        'examples/library/shop/job.yaml',
        'schemas/model-update.avsc',
        'scripts/native.mjs',
      ]),
    )
    expect(files.filter((path) => path.startsWith('dist/bench'))).toEqual([])
  })

  test('publint has nothing to say', async () => {
    const { messages, pkg } = await publint({ pack: { tarball: arrayBufferOf(tarball) } })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  test('its types are found wherever ES modules are', () => {
    const attw = resolve('node_modules/.bin/attw')
    const args = [tarball, '--profile', 'esm-only', '--format', 'json']
    const { analysis } = JSON.parse(execFileSync(attw, args, { encoding: 'utf8' }))
    expect(Object.keys(analysis.entrypoints)).toEqual(['.', './serve'])
  })

  test('installed by npm in an empty folder, it compiles and runs the example of the README, and has its command', () => {
    const project = join(folder, 'project')
    mkdirSync(project)
    const run = (program: string, ...args: string[]): string =>
      execFileSync(program, args, { cwd: project, encoding: 'utf8' })
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
    // As a user would, but for the optional engine, which is 300 MB; `engine-strict` makes a package that needs a newer Node an error.
    const flags = ['--omit=optional', '--engine-strict', '--prefer-offline', '--no-audit']
    run('npm', 'install', tarball, ...flags)
    cpSync(join(project, 'node_modules/millrace/examples'), join(project, 'examples'), {
      recursive: true,
    })
    const example = readFileSync(join(project, 'examples/library/learn.ts'), 'utf8')
    expect(compileErrors(project, new Map([['learn', example]]))).toEqual([])
    run(
      resolve('node_modules/.bin/esbuild'),
      'examples/library/learn.ts',
      '--log-level=warning',
      '--outfile=learn.js',
    )
    const printed = run(process.execPath, 'learn.js')
    const [auc = 0, bought = 0, passed = 0] = (printed.match(/0\.\d+/g) ?? []).map(Number)
    expect(auc, printed).toBeGreaterThan(0.8)
    expect(bought, printed).toBeGreaterThan(passed)
    expect(run('npx', '--no-install', 'millrace', '--help')).toContain('millrace start')
  }, 300_000)
})

function arrayBufferOf(file: string): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = readFileSync(file)
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
}

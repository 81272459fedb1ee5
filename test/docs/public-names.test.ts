/** @file The names that a program may import: a change here is a change of the public API, and of the changelog. */

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import * as millrace from '../../src/index.ts'
import { temporaryFolder } from '../topology/temporary-job.ts'

const NAMES = [
  'AvroCodec',
  'BALANCERS',
  'ChunkCodec',
  'FeatureEncoder',
  'Follower',
  'MODELS',
  'MemoryLog',
  'MillraceError',
  'Truth',
  'World',
  'auc',
  'aucInterval',
  'balancerFrom',
  'besideJob',
  'buildModel',
  'calibrationRatio',
  'compileFeatures',
  'gramOf',
  'groupedAuc',
  'learner',
  'loadJob',
  'loadSchema',
  'logLoss',
  'normalizedEntropy',
  'openEngine',
  'openFileLog',
  'parseJob',
  'plainEngine',
  'worldOptions',
]

test('the exported values are these', () => {
  expect(Object.keys(millrace).sort()).toEqual(NAMES)
})

test('the packed package, put into an empty project, runs the example of the README', () => {
  const folder = temporaryFolder()
  const packed = execFileSync(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
    { encoding: 'utf8' },
  )
  const [{ filename, files }] = JSON.parse(packed) as [
    { filename: string; files: { path: string }[] },
  ]
  expect(files.map(({ path }) => path)).toEqual(
    expect.arrayContaining([
      'dist/src/index.d.ts',
      'dist/web/page.js',
      'schemas/model-update.avsc',
    ]),
  )
  mkdirSync(join(folder, 'node_modules', 'millrace'), { recursive: true })
  execFileSync('tar', [
    '-xzf',
    join(folder, filename),
    '--strip-components=1',
    '-C',
    join(folder, 'node_modules/millrace'),
  ])
  // What npm would install beside it; the network is not what is tested.
  for (const name of readdirSync('node_modules')) {
    if (name !== 'millrace' && !name.startsWith('.'))
      symlinkSync(resolve('node_modules', name), join(folder, 'node_modules', name))
  }
  cpSync('examples', join(folder, 'examples'), { recursive: true })
  const source = execFileSync(
    'npx',
    ['esbuild', 'examples/library/learn.ts', '--format=esm', '--platform=node'],
    { encoding: 'utf8' },
  )
  writeFileSync(join(folder, 'learn.mjs'), source)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const printed = execFileSync(process.execPath, ['learn.mjs'], { cwd: folder, encoding: 'utf8' })
  const [auc = 0, bought = 0, passed = 0] = [...printed.matchAll(/0\.\d+|1(?=\s)/g)].map(
    ([number]) => Number(number),
  )
  expect(auc).toBeGreaterThan(0.8)
  expect(bought).toBeGreaterThan(passed)
}, 120_000)

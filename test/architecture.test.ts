/** @file The folder table is a law: checked on every file, and the checker itself is checked. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cruise, type IConfiguration, type ICruiseResult } from 'dependency-cruiser'
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config'
import { expect, test } from 'vitest'

const SOURCES = ['src', 'topology', 'bin', 'bench', 'web']

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
}

async function check(config: IConfiguration): Promise<ICruiseResult> {
  const result = await cruise(
    SOURCES,
    { ...config.options, ruleSet: { forbidden: config.forbidden ?? [] }, validate: true },
    undefined,
    { tsConfig: extractTSConfig('tsconfig.json') },
  )
  if (typeof result.output === 'string') throw new Error(result.output)
  return result.output
}

async function configuration(): Promise<IConfiguration> {
  const path = '../.dependency-cruiser.mjs'
  return ((await import(path)) as { default: IConfiguration }).default
}

test('every import follows the folder table, and every file was seen', async () => {
  const output = await check(await configuration())
  const broken = output.summary.violations.map(
    ({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`,
  )
  expect(broken).toEqual([])
  const seen = new Set(output.modules.map((module) => module.source))
  expect(SOURCES.flatMap(filesIn).filter((file) => !seen.has(file))).toEqual([])
})

test('a forward import would be caught: with the reads of `events` taken away, its import of `wire` breaks the rule', async () => {
  const config = await configuration()
  const forbidden = (config.forbidden ?? []).map((rule) =>
    rule.name === 'train reads only samples, features, embeddings, tensors, model, balance'
      ? { ...rule, to: { path: '^src/features/' } }
      : rule,
  )
  const output = await check({ ...config, forbidden })
  expect(output.summary.violations.map(({ rule }) => rule.name)).toContain(
    'train reads only samples, features, embeddings, tensors, model, balance',
  )
})

test('no source file is longer than 300 lines', () => {
  const long = [...SOURCES, 'test'].flatMap(filesIn).flatMap((file) => {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').length
    return lines > 300 ? [`${file}: ${lines}`] : []
  })
  expect(long).toEqual([])
})

test('every source file says in its first lines what it is', () => {
  const silent = SOURCES.flatMap(filesIn).filter(
    (file) => !/^(#!.*\n)?\/\*\*(\s|\n \*)* @file /.test(readFileSync(file, 'utf8')),
  )
  expect(silent).toEqual([])
})

/** @file What is installed with Millrace: every package of the lock file has a licence of this list, and what runs is pinned. */

import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** Licences that may be shipped beside Apache-2.0. MPL-2.0: used as they are, never changed. */
const ALLOWED = [
  'MIT',
  'Apache-2.0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
  'MPL-2.0',
  'CC0-1.0',
  'Python-2.0',
]

interface LockedPackage {
  readonly version?: string
  readonly license?: string
  readonly integrity?: string
  readonly dev?: boolean
  readonly optional?: boolean
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>
}
const packages = Object.entries(lock.packages).filter(([path]) => path !== '')

function isAllowed(licence: string | undefined): boolean {
  const terms = (licence ?? '').replaceAll(/[()]/g, '').split(/ (?:AND|OR) /)
  return terms.every((term) => ALLOWED.includes(term))
}

/** The licence as the lock file has it, or, where the package names none there, by the title of its licence file. */
function licenceOf(path: string, { license }: LockedPackage): string | undefined {
  const file = `${path}/LICENSE`
  if (license !== undefined || !existsSync(file)) return license
  return readFileSync(file, 'utf8').startsWith('MIT License') ? 'MIT' : undefined
}

test('every package has a licence that may be used', () => {
  expect(packages.length).toBeGreaterThan(100)
  const licences = packages.map(([path, locked]) => [path, licenceOf(path, locked)] as const)
  const others = licences.filter(([, licence]) => !isAllowed(licence))
  expect(others.map(([path, licence]) => `${path}: ${licence}`)).toEqual([])
})

test('every package that is needed to run is pinned by a hash', () => {
  const needed = packages.filter(([, { dev, optional }]) => dev !== true && optional !== true)
  expect(needed.length).toBeGreaterThan(20)
  expect(
    needed.filter(([, { integrity }]) => integrity === undefined).map(([path]) => path),
  ).toEqual([])
})

test('package.json asks for exact versions', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
    readFileSync('package.json', 'utf8'),
  ) as Record<string, Record<string, string>>
  const asked = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
  expect(asked.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
})

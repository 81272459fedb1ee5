/** @file The machine and the commit that a result was measured on. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { packageFile } from '../topology/package-files.ts'

export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memory_gib: number
  readonly platform: string
}

export function thisMachine(): Machine {
  const cores = cpus()
  return {
    processor: (cores[0]?.model ?? 'unknown').trim(),
    cores: cores.length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
  }
}

/** The short hash, with `+` when files of the program or of the benches differ from it. */
export function thisCommit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: dirname(packageFile('package.json')),
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim()
  try {
    const sources = ['src', 'topology', 'bin', 'bench', 'package-lock.json', ':!bench/results']
    const changed = git('status', '--porcelain', '--', ...sources) !== ''
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? '+' : ''}`
  } catch {
    return 'unknown'
  }
}

/** The version of an installed package; `none` when it is not installed. */
export function versionOf(name: string): string {
  try {
    const file = packageFile(join('node_modules', name, 'package.json'))
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  } catch {
    return 'none'
  }
}

/** @file `millrace doctor`: what this machine runs on, why this engine, and what a faster one still needs. */

import { existsSync } from 'node:fs'
import { MillraceError } from '../src/errors.ts'
import type { EngineChoice } from '../src/tensors/engine-choice.ts'
import { openEngine } from '../src/tensors/engine-choice.ts'
import type { CommandContext } from './command-context.ts'
import { packageFile, requiredNode } from './package-files.ts'
import { findProgram, type Program } from './programs.ts'

/** One line per finding on standard output; USAGE after them when Node is too old to run on. */
export async function doctorCommand(context: CommandContext): Promise<void> {
  const node = process.versions.node
  const needed = requiredNode()
  context.print(line('node', `${node} (${needed} or later is needed)`))
  const choice = await openEngine('auto')
  context.print(line('engine', `${choice.name}: ${choice.reason}`))
  for (const advice of adviceOn(choice, context)) context.print(advice)
  if (isOlder(node, needed)) {
    throw new MillraceError('USAGE', `Node ${node} is too old`, {
      remedy: `install Node ${needed} or later`,
    })
  }
}

/** How to get the native engine, and what of it is here; nothing when it is the one in use. */
function adviceOn(choice: EngineChoice, { environment }: CommandContext): readonly string[] {
  if (choice.name === 'tfjs-native')
    return [line('faster', 'nothing: no other engine is as fast on this machine')]
  if (environment.MILLRACE_NATIVE === 'off') {
    return [line('faster', 'unset MILLRACE_NATIVE, which refuses the native engine')]
  }
  if (!existsSync(packageFile('scripts/native.mjs'))) {
    return [
      line('faster', 'npm install @tensorflow/tfjs-node, where its library can be downloaded'),
    ]
  }
  const found = nativeNeeds(environment)
  const missing = found.filter(({ version }) => version === undefined).map(({ name }) => name)
  return [
    line('faster', `npm run native gets TensorFlow's library: ${readiness(missing)}`),
    ...found.map(({ name, version, remedy }) =>
      line('', `${name}: ${version ?? `missing; ${remedy}`}`),
    ),
  ]
}

function readiness(missing: readonly string[]): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `but it exists for linux-x64 only, this is ${process.platform}-${process.arch}`
  }
  if (missing.length > 0) return `first install ${missing.join(' and ')}`
  return 'everything it needs is here (207 MB to download, 600 MB on disk, about a minute)'
}

/** The programs that scripts/native looks for. */
function nativeNeeds(environment: CommandContext['environment']): readonly Program[] {
  const compilers = [environment.CXX ?? '', 'g++', 'clang++', 'c++'].filter((name) => name !== '')
  return [
    findProgram(environment, {
      name: 'python3',
      calls: [['python3', '--version']],
      remedy: 'Debian, Ubuntu: apt-get install python3',
    }),
    findProgram(environment, {
      name: 'pip',
      calls: [['python3', '-m', 'pip', '--version']],
      remedy: 'Debian, Ubuntu: apt-get install python3-pip',
    }),
    findProgram(environment, {
      name: 'a C++ compiler',
      calls: compilers.map((name) => [name, '--version']),
      remedy: 'Debian, Ubuntu: apt-get install g++',
    }),
  ]
}

/** Compares `20.9.0` and `20.10` number by number. */
function isOlder(version: string, needed: string): boolean {
  const found = version.split('.').map(Number)
  for (const [i, least] of needed.split('.').map(Number).entries()) {
    if (found[i] !== least) return (found[i] ?? 0) < least
  }
  return false
}

function line(name: string, text: string): string {
  return `${name.padEnd(8)}${text}`
}

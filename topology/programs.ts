/** @file Which programs are on this machine: asked by running them with --version. */

import { spawnSync } from 'node:child_process'
import type { Environment } from '../src/settings/environment.ts'

/** A program, the first line of what it says of its version, and how to get it when there is none. */
export interface Program {
  readonly name: string
  readonly version: string | undefined
  readonly remedy: string
}

/** The first of `calls` that ends well; each is a program and its arguments. */
export function findProgram(
  environment: Environment,
  wanted: {
    readonly name: string
    readonly calls: readonly (readonly string[])[]
    readonly remedy: string
  },
): Program {
  const { name, calls, remedy } = wanted
  for (const [command = '', ...args] of calls) {
    const { status, stdout } = spawnSync(command, args, { env: environment, encoding: 'utf8' })
    if (status === 0) return { name, version: stdout.split('\n')[0] ?? '', remedy }
  }
  return { name, version: undefined, remedy }
}

/** @file Files that ship with the package (schemas, examples), found from sources and from the build alike. */

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MillraceError } from '../src/errors.ts'

/** Absolute path of a file of the package, such as `schemas/impression.avsc`. */
export function packageFile(path: string): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) throw new MillraceError('IO', `the package of ${path} was not found`)
    folder = parent
  }
  return join(folder, path)
}

/** The version in package.json. */
export function packageVersion(): string {
  return description().version
}

/** The oldest Node that the package runs on, such as `20.10`. */
export function requiredNode(): string {
  return description().engines.node.replace(/^>=/, '')
}

function description(): { version: string; engines: { node: string } } {
  return JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as {
    version: string
    engines: { node: string }
  }
}

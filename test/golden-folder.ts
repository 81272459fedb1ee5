/** @file Where golden files are: GOLDEN_DIR, else test/golden. A folder may hold some of the three kinds; one without any file is an error. */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const KINDS = ['balancers', 'models', 'metrics'] as const

/** The golden files of one kind. */
export interface GoldenFolder {
  readonly path: string
  /** Sorted; empty where the folder has files of other kinds only. */
  readonly names: readonly string[]
  /** What else lies there, notes aside, and nobody would check. */
  readonly strange: readonly string[]
}

/** Throws when there is no golden file of any kind: a wrong path must not look like agreement. */
export function goldenFolder(
  kind: (typeof KINDS)[number],
  root = process.env.GOLDEN_DIR ?? join(import.meta.dirname, 'golden'),
): GoldenFolder {
  const counts = KINDS.map((one) => jsonFiles(join(root, one)).length)
  if (counts.every((count) => count === 0)) {
    throw new Error(`no *.json in ${KINDS.join(', ')} of ${root}`)
  }
  const path = join(root, kind)
  const names = jsonFiles(path)
  return { path, names, strange: filesIn(path).filter((name) => !/\.(json|md)$|^\./.test(name)) }
}

function jsonFiles(folder: string): string[] {
  return filesIn(folder).filter((name) => name.endsWith('.json'))
}

function filesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : []
}

/** @file Events as people have them, newline-delimited JSON files, one kind each or mixed: rows with their kind. */

import { basename } from 'node:path'
import type { Row } from '../src/datasets/field-profile.ts'
import { guessKindField, kindName } from '../src/datasets/guess-kinds.ts'
import { MillraceError } from '../src/errors.ts'
import { readNdjson } from './ndjson.ts'

/** One file of events: `views.ndjson`, or `view=views.ndjson` where the name does not say the kind. */
export interface EventFile {
  readonly path: string
  /** The kind of all its rows, unless a field says it. */
  readonly kind: string
}

/** Reads `kind=path` and plain paths. */
export function eventFile(text: string): EventFile {
  const [, kind, path] = /^([a-zA-Z][a-zA-Z0-9_]*)=(.+)$/.exec(text) ?? []
  if (kind !== undefined && path !== undefined) return { path, kind: kindName(kind) }
  return { path: text, kind: kindName(basename(text).replace(/\.(nd)?jsonl?$/i, '')) }
}

/** The first rows of a file and what says their kind. */
export interface FileSample {
  readonly rows: readonly Row[]
  readonly kindOf: (row: Row) => string
  /** Absent where the file has one kind. */
  readonly field: string | undefined
}

/** The first rows of a file, and the field that says their kind where there is one. */
export async function sampleFile(
  { path, kind }: EventFile,
  limit: number,
  kindField: string | undefined,
): Promise<FileSample> {
  const rows: Row[] = []
  for await (const row of readNdjson(path)) {
    rows.push(row)
    if (rows.length >= limit) break
  }
  const field = kindField ?? guessKindField(rows)
  const kindOf = (row: Row): string => (field === undefined ? kind : kindIn(row, field, path))
  return { rows, kindOf, field }
}

/** The kind that a field of a row names; BAD_INPUT when the row has no text there. */
export function kindIn(row: Row, field: string, path: string): string {
  const value = Object.hasOwn(row, field) ? row[field] : undefined
  if (typeof value === 'string') return kindName(value)
  throw new MillraceError(
    'BAD_INPUT',
    `${path}: a row has no text in ${field}, which says its kind`,
    {
      remedy: 'name another field with --kind-field, or give a file per kind',
    },
  )
}

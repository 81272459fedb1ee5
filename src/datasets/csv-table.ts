/** @file Reads a CSV file with a known header, plain or gzip; a bad row is a value (door for csv-parse). */

import { parse } from 'csv-parse/sync'
import { MillraceError, messageOf } from '../errors.ts'
import { type Line, readLines } from './text-lines.ts'

/** A file and what its first line must be. */
export interface CsvTable {
  readonly file: string
  readonly header: readonly string[]
  /** Where to get a right file, one sentence: the remedy of every error about this one. */
  readonly source: string
}

/** A row that could not be used; the rest of the file is read all the same. */
export interface BadRow {
  readonly file: string
  /** Counted from 1, which is the header. */
  readonly line: number
  readonly reason: string
}

/** Takes the cells of one row, as many as the header has; gives the reason when they cannot be used. */
export type RowReader = (cells: readonly string[]) => string | undefined

/**
 * Hands every row to `read` in file order and resolves with the rows that were refused. One line is one row: cells may be
 * quoted but hold no line ends, so a stray quote costs its own row only. Throws IO when the file cannot be read (absent,
 * cut-off gzip) and BAD_INPUT when its header is another one.
 */
export async function readCsv(table: CsvTable, read: RowReader): Promise<BadRow[]> {
  const badRows: BadRow[] = []
  let hasHeader = false
  const takeRow = (line: Line, cells: readonly string[] | undefined): void => {
    const reason = cells === undefined ? 'quotes that do not close' : judge(table, cells, read)
    if (reason !== undefined) badRows.push({ file: table.file, line: line.number, reason })
  }
  const takeLines = (lines: readonly Line[]): void => {
    const [first] = lines
    if (first === undefined) return
    if (!hasHeader) checkHeader(table, first.text)
    const body = hasHeader ? lines : lines.slice(1)
    hasHeader = true
    const rows = splitLines(body)
    body.forEach((line, index) => {
      takeRow(line, rows[index])
    })
  }
  await readLines(table.file, takeLines).catch((cause: unknown) => {
    throw fileError(table, cause)
  })
  if (!hasHeader) checkHeader(table, '')
  return badRows
}

/** What went wrong, with the file's name; a wrong header says it itself. */
function fileError(table: CsvTable, cause: unknown): MillraceError {
  if (cause instanceof MillraceError && cause.remedy !== undefined) return cause
  const code = cause instanceof MillraceError ? cause.code : 'IO'
  const message = `${table.file}: cannot be read: ${messageOf(cause)}`
  return new MillraceError(code, message, { remedy: table.source, cause })
}

function judge(table: CsvTable, cells: readonly string[], read: RowReader): string | undefined {
  const { length } = table.header
  if (cells.length !== length) return `${cells.length} columns instead of ${length}`
  return read(cells)
}

function checkHeader(table: CsvTable, text: string): void {
  const expected = table.header.join(',')
  if (text.replace(/^\uFEFF/, '') === expected) return
  const found = text === '' ? 'nothing' : `"${text.slice(0, 500)}"`
  throw new MillraceError(
    'BAD_INPUT',
    `${table.file}: header is ${found}, expected "${expected}"`,
    {
      remedy: table.source,
    },
  )
}

/** The cells of each line; undefined for a line that is no CSV. */
function splitLines(lines: readonly Line[]): (readonly string[] | undefined)[] {
  // Most files have no quote at all; the parser costs five times a split and as much per call as for 50 rows.
  if (lines.every((line) => !line.text.includes('"')))
    return lines.map(({ text }) => text.split(','))
  const together = parseCsv(lines.map((line) => line.text).join('\n'))
  if (together?.length === lines.length) return together
  return lines.map((line) => {
    const rows = parseCsv(line.text)
    return rows?.length === 1 ? rows[0] : undefined
  })
}

function parseCsv(text: string): string[][] | undefined {
  try {
    return parse(text, { relax_column_count: true, record_delimiter: '\n' })
  } catch {
    // The parser stops at the first bad row; the caller then looks at each line alone.
    return undefined
  }
}

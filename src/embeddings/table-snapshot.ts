/** @file A table as bytes: whole, or the rows that changed since the last checkpoint; equal tables give equal bytes. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import { describeColumns } from './columns.ts'
import type { EmbeddingTable } from './table.ts'

const FORMAT = 2

/**
 * The whole table: values, optimizer state, and what awaits publication. Rows are in row-number order, the index is left out
 * because it follows from the keys. Does not move the checkpoint cursor.
 */
export function snapshotTable(table: EmbeddingTable): Uint8Array {
  const writer = startSnapshot(table, 'full', table.rows)
  for (const records of table.records()) writer.raw(records)
  return endSnapshot(table, writer)
}

/**
 * What changed since the checkpoint cursor was last taken; takes it. Apply it with `applyTableDelta` to a table at the
 * state of that time. Costs as much as the rows touched and the free ones, not as the table.
 */
export function takeTableDelta(table: EmbeddingTable): Uint8Array {
  const changed = table.takeDirty('checkpoint')
  const writer = startSnapshot(table, 'delta', changed.length)
  for (const row of changed) writer.u32(row).raw(table.record(row))
  return endSnapshot(table, writer)
}

/** Fills an empty table from `snapshotTable`; row numbers and the publication cursor come back, the checkpoint cursor is empty. */
export function restoreTable(table: EmbeddingTable, bytes: Uint8Array): void {
  if (table.rows !== 0) {
    throw new MillraceError('BAD_STATE', `a table of ${table.rows} rows cannot be restored over`, {
      remedy: 'make a new one',
    })
  }
  readRows(table, bytes, 'full')
}

/** Brings a table at the previous checkpoint forward to this one. Throws CORRUPT when the delta starts elsewhere. */
export function applyTableDelta(table: EmbeddingTable, bytes: Uint8Array): void {
  readRows(table, bytes, 'delta')
}

type Extent = 'full' | 'delta'

/** The header, in a writer that has room for `count` records, so that it never grows by copying. */
function startSnapshot(table: EmbeddingTable, extent: Extent, count: number): ByteWriter {
  const columns = describeColumns(table.columns)
  const awaitingBytes = 4 * (table.dirtyCount('publication') + table.free.count)
  const recordBytes = table.columns.recordWidth * 4 + 4
  const writer = new ByteWriter(count * recordBytes + awaitingBytes + columns.length + 64)
  writer.u8(FORMAT).text(extent).text(columns).u32(table.rows).array(table.free.list())
  return writer.u32(count)
}

function endSnapshot(table: EmbeddingTable, writer: ByteWriter): Uint8Array {
  writer.array(table.listDirty('publication')).array(Uint32Array.from(table.removed))
  return writer.bytes(table.life?.snapshot() ?? new Uint8Array(0)).finish()
}

function readRows(table: EmbeddingTable, bytes: Uint8Array, extent: Extent): void {
  const reader = new ByteReader(bytes)
  expectEqual('format', reader.u8(), FORMAT)
  expectEqual('extent', reader.text(), extent)
  expectEqual('columns', reader.text(), describeColumns(table.columns))
  const rows = reader.u32()
  const free = reader.uint32()
  const count = reader.u32()
  writeRows(table, records(reader, count, extent, table.columns.recordWidth * 4), free)
  expectEqual('rows', table.rows, rows)
  table.setDirty('publication', reader.uint32())
  table.setDirty('checkpoint', new Uint32Array(0))
  table.removed.splice(0, table.removed.length, ...reader.uint32())
  const life = reader.bytes()
  table.life?.restore(life)
}

function records(
  reader: ByteReader,
  count: number,
  extent: Extent,
  bytes: number,
): { readonly row: number; readonly record: Uint8Array }[] {
  return Array.from({ length: count }, (_, i) => {
    const row = extent === 'delta' ? reader.u32() : i
    return { row, record: reader.raw(bytes) }
  })
}

/** A key may have moved to another row: all keys that go leave the index before any comes in. */
function writeRows(
  table: EmbeddingTable,
  changed: readonly { readonly row: number; readonly record: Uint8Array }[],
  free: Uint32Array,
): void {
  const before = table.rows
  const isFree = new Set(free)
  const known = changed.filter(({ row }) => row < before && !isFree.has(row))
  for (const { row } of known) table.forget(row)
  for (const row of free) table.forget(row)
  for (const row of free) table.clearRecord(row)
  table.free.reset(free)
  for (const { row, record } of changed) {
    if (isFree.has(row)) continue
    if (row > table.rows) {
      throw new MillraceError('CORRUPT', `a table snapshot goes on at row ${row} of ${table.rows}`)
    }
    table.writeRecord(row, record)
  }
}

function expectEqual(what: string, found: number | string, expected: number | string): void {
  if (found !== expected) {
    throw new MillraceError('CORRUPT', `table snapshot: ${what} is ${found}, expected ${expected}`)
  }
}

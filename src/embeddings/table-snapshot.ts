/** @file A table as bytes: whole, or in pieces of which any n in a row are the whole; equal tables give equal bytes. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import { atOnce, type Slices } from '../slices.ts'
import { inTurn, type Turn } from '../turn.ts'
import { describeColumns } from './columns.ts'
import type { EmbeddingTable } from './table.ts'

const FORMAT = 2

/** Neighbouring rows that have their turn together. */
const BLOCK_ROWS = 256

/** Rows that are copied in one slice: less than a millisecond, and their copies stay in a cache on the way. */
const SLICE_ROWS = 4_096

/**
 * The whole table: values, optimizer state, and what awaits publication. Rows are in row-number order, the index is left out
 * because it follows from the keys. Does not move the checkpoint cursor.
 */
export function snapshotTable(table: EmbeddingTable): Uint8Array {
  const recordBytes = table.columns.recordWidth * 4
  const awaitingBytes = 4 * (table.dirtyCount('publication') + table.free.count)
  // With room for all of it, so that it never grows by copying.
  const room = new ByteWriter(table.rows * recordBytes + awaitingBytes + 1024)
  const writer = startSnapshot(table, 'full', room).u32(table.rows)
  for (const records of table.records()) writer.raw(records)
  return endSnapshot(table, writer)
}

/** Writes a table piece by piece. */
export class TablePieces {
  readonly #table: EmbeddingTable
  readonly #writer = new ByteWriter()
  readonly #slice: Uint32Array

  constructor(table: EmbeddingTable) {
    this.#table = table
    this.#slice = new Uint32Array(SLICE_ROWS * table.columns.recordWidth)
  }

  /**
   * The rows that changed since the checkpoint cursor was last taken, and those that have their turn; takes the cursor. Costs as
   * much as these rows and the free ones, not as the table. A view, valid until the next piece: fresh memory would cost more than
   * the copying.
   */
  take(turn: Turn): Uint8Array {
    return atOnce(this.taking(turn))
  }

  /** The same in slices, between which the table must not change. */
  *taking(turn: Turn): Slices<Uint8Array> {
    const table = this.#table
    markTurn(table, turn)
    const rows = table.takeDirty('checkpoint')
    yield
    const { recordWidth } = table.columns
    const bytes = rows.length * recordWidth * 4
    const writer = startSnapshot(table, 'piece', this.#writer.clear())
    writer.reserve(rows.byteLength + bytes + 16)
    writer.array(rows).u32(bytes)
    for (let from = 0; from < rows.length; from += SLICE_ROWS) {
      const count = Math.min(SLICE_ROWS, rows.length - from)
      for (let i = 0; i < count; i++) {
        table.readWords(rows[from + i]!, 0, recordWidth, this.#slice, i * recordWidth)
      }
      writer.raw(new Uint8Array(this.#slice.buffer, 0, count * recordWidth * 4))
      yield
    }
    return endSnapshot(table, writer)
  }
}

function markTurn(table: EmbeddingTable, turn: Turn): void {
  for (const block of inTurn(turn, Math.ceil(table.rows / BLOCK_ROWS))) {
    const end = Math.min(table.rows, (block + 1) * BLOCK_ROWS)
    for (let row = block * BLOCK_ROWS; row < end; row++) table.repeat(row)
  }
}

/**
 * Fills an empty table from a whole snapshot, or from pieces in order, as many as there are turns or all there are; row numbers
 * and the publication cursor come back, the checkpoint cursor is empty. CORRUPT when a row is in none of them.
 */
export function restoreTable(table: EmbeddingTable, ...snapshots: readonly Uint8Array[]): void {
  if (table.rows !== 0) {
    throw new MillraceError('BAD_STATE', `a table of ${table.rows} rows cannot be restored over`, {
      remedy: 'make a new one',
    })
  }
  const pieces = snapshots.map((bytes) => readPiece(table, bytes))
  const newest = pieces.at(-1)
  if (newest === undefined) throw new MillraceError('CORRUPT', 'a table of no pieces')
  table.extend(newest.rows)
  table.free.reset(newest.free)
  writeRecords(table, pieces)
  table.reindex()
  table.setDirty('publication', newest.awaiting)
  table.removed.splice(0, table.removed.length, ...newest.removed)
  table.life?.restore(newest.life)
}

type Extent = 'full' | 'piece'

function startSnapshot(table: EmbeddingTable, extent: Extent, writer: ByteWriter): ByteWriter {
  const columns = describeColumns(table.columns)
  return writer.u8(FORMAT).text(extent).text(columns).u32(table.rows).array(table.free.list())
}

function endSnapshot(table: EmbeddingTable, writer: ByteWriter): Uint8Array {
  writer.array(table.listDirty('publication')).array(Uint32Array.from(table.removed))
  return writer.bytes(table.life?.snapshot() ?? new Uint8Array(0)).finish()
}

interface Piece {
  /** Of the table at the time. */
  readonly rows: number
  readonly free: Uint32Array
  /** Whose records these are, one after the other. */
  readonly held: Uint32Array
  readonly records: Uint8Array
  /** Rows that await publication. */
  readonly awaiting: Uint32Array
  readonly removed: Uint32Array
  readonly life: Uint8Array
}

function readPiece(table: EmbeddingTable, bytes: Uint8Array): Piece {
  const reader = new ByteReader(bytes)
  expectEqual('format', reader.u8(), FORMAT)
  const extent = reader.text()
  expectEqual('columns', reader.text(), describeColumns(table.columns))
  const rows = reader.u32()
  const free = reader.uint32()
  const recordBytes = table.columns.recordWidth * 4
  const isFull = extent === 'full'
  const held = isFull ? Uint32Array.from({ length: reader.u32() }, (_, i) => i) : reader.uint32()
  const records = isFull ? reader.raw(held.length * recordBytes) : reader.bytes()
  expectEqual('size of the records', records.length, held.length * recordBytes)
  const [awaiting, removed, life] = [reader.uint32(), reader.uint32(), reader.bytes()]
  return { rows, free, held, records, awaiting, removed, life }
}

/** The newest record of every row that is not free. */
function writeRecords(table: EmbeddingTable, pieces: readonly Piece[]): void {
  const recordBytes = table.columns.recordWidth * 4
  const found = new Uint8Array(table.rows)
  for (const { held, records } of pieces) {
    for (const [i, row] of held.entries()) {
      if (row >= table.rows) {
        throw new MillraceError('CORRUPT', `a table snapshot has row ${row} of ${table.rows}`)
      }
      found[row] = 1
      if (table.free.has(row)) continue
      table.record(row).set(records.subarray(i * recordBytes, (i + 1) * recordBytes))
    }
  }
  const missing = found.findIndex((one, row) => one === 0 && !table.free.has(row))
  if (missing < 0) return
  throw new MillraceError('CORRUPT', `row ${missing} of ${table.rows} is in no table snapshot`)
}

function expectEqual(what: string, found: number | string, expected: number | string): void {
  if (found !== expected) {
    throw new MillraceError('CORRUPT', `table snapshot: ${what} is ${found}, expected ${expected}`)
  }
}

/** @file The embedding table: a row per 64-bit key that was learned, in order of first insertion; collision-free, grown without a pause. */

import { MillraceError } from '../errors.ts'
import { type ColumnGroup, KEY_WORDS, type TableColumns } from './columns.ts'
import { DirtyRows } from './dirty-rows.ts'
import { writeInitialVector } from './initial-vector.ts'
import { FIND_BLOCK, KeyIndex } from './key-index.ts'
import { PAGE_BITS, PAGE_MASK, RowPages } from './row-pages.ts'

/** Who asks for the rows that changed: the publisher of deltas or the writer of incremental checkpoints. */
export type DirtyCursor = 'publication' | 'checkpoint'

/** Keys to look up: entries 0 to count of both halves. */
export interface KeyList {
  readonly hi: Uint32Array
  readonly lo: Uint32Array
  readonly count: number
}

/** What a table weighs. Payload is values and optimizer state of the rows in use; total adds keys, index, marks and unused room. */
export interface TableBytes {
  readonly rows: number
  readonly payloadBytes: number
  readonly totalBytes: number
}

/** Rows never move and are never renumbered, so a row number stays valid for the table's life. */
export class EmbeddingTable {
  readonly columns: TableColumns
  readonly #pages: RowPages
  readonly #index: KeyIndex
  readonly #dirty: Readonly<Record<DirtyCursor, DirtyRows>> = {
    publication: new DirtyRows(),
    checkpoint: new DirtyRows(),
  }

  constructor(columns: TableColumns) {
    this.columns = columns
    this.#pages = new RowPages(columns.recordWidth)
    this.#index = new KeyIndex(this.#pages)
  }

  get rows(): number {
    return this.#pages.rows
  }

  get bytes(): TableBytes {
    const marks = this.#dirty.publication.bytes + this.#dirty.checkpoint.bytes
    return {
      rows: this.rows,
      payloadBytes: this.rows * (this.columns.width + this.columns.stateWidth) * 4,
      totalBytes: this.#pages.bytes + this.#index.bytes + marks,
    }
  }

  /** Writes the row number of each key, -1 for a key without a row; returns how many had none. Changes nothing. */
  find(keys: KeyList, rows: Int32Array): number {
    let unseen = 0
    for (let start = 0; start < keys.count; start += FIND_BLOCK) {
      unseen += this.#index.find(keys.hi, keys.lo, start, blockEnd(start, keys), rows)
    }
    return unseen
  }

  /** As `find`, and copies all values of each key to values[i * columns.width ..]: one visit of the row instead of two. */
  lookUp(keys: KeyList, rows: Int32Array, values: Float32Array): number {
    let unseen = 0
    for (let start = 0; start < keys.count; start += FIND_BLOCK) {
      const end = blockEnd(start, keys)
      unseen += this.#index.find(keys.hi, keys.lo, start, end, rows)
      for (let i = start; i < end; i++) this.#copyValues(keys, rows[i]!, i, values)
    }
    return unseen
  }

  /** Gives every key a row, new ones in the order of the list; returns how many were new. New rows hold their initial vector. */
  insert(keys: KeyList, rows: Int32Array): number {
    this.find(keys, rows)
    return this.insertUnseen(keys, rows)
  }

  /** As `insert`, for rows that `find` or `lookUp` wrote: visits only the keys without one. */
  insertUnseen(keys: KeyList, rows: Int32Array): number {
    const before = this.rows
    for (let i = 0; i < keys.count; i++) {
      if (rows[i]! < 0) rows[i] = this.insertOne(keys.hi[i]!, keys.lo[i]!)
    }
    return this.rows - before
  }

  /** The row of the key, made when there is none. */
  insertOne(hi: number, lo: number): number {
    const found = this.#index.findOne(hi, lo)
    if (found >= 0) return found
    const row = this.#pages.append()
    const page = row >>> PAGE_BITS
    const record = (row & PAGE_MASK) * this.columns.recordWidth
    this.#pages.words[page]![record] = hi
    this.#pages.words[page]![record + 1] = lo
    const floats = this.#pages.floats[page]!
    for (const { initial, optimizer, valueAt, stateAt, width } of this.columns.groups) {
      writeInitialVector(initial, hi, lo, floats, record + valueAt)
      optimizer?.start(floats, record + valueAt, record + stateAt, width)
    }
    this.#index.add(hi, lo, row)
    this.#mark(row)
    return row
  }

  /**
   * One optimizer step on a column group of the given distinct rows; gradient i is gradient[i * group.width ..].
   * A row whose gradient is zero in every column of the group is left as it is: neither its moments nor its mark move.
   */
  update(group: ColumnGroup, rows: Int32Array, count: number, gradient: Float32Array): void {
    const { optimizer, width, valueAt, stateAt } = group
    if (optimizer === undefined) {
      throw new MillraceError('BAD_STATE', `column group "${group.name}" has no optimizer`, {
        remedy: 'a table that only scores is not trained',
      })
    }
    const { recordWidth } = this.columns
    for (let i = 0; i < count; i++) {
      if (isZero(gradient, i * width, width)) continue
      const row = rows[i]!
      const record = (row & PAGE_MASK) * recordWidth
      const page = this.#pages.floats[row >>> PAGE_BITS]!
      optimizer.step(page, record + valueAt, record + stateAt, width, gradient, i * width)
      this.#mark(row)
    }
  }

  /** Copies the group's memory of each row to out[i * group.memory ..]; zeros for a key without a row (-1). */
  readMemory({ memory, memoryAt }: ColumnGroup, rows: Int32Array, out: Float32Array): void {
    for (let i = 0; i * memory < out.length; i++) {
      const row = rows[i]!
      const page = row < 0 ? undefined : this.#pages.floats[row >>> PAGE_BITS]
      const from = (row & PAGE_MASK) * this.columns.recordWidth + memoryAt
      for (let c = 0; c < memory; c++) out[i * memory + c] = page?.[from + c] ?? 0
    }
  }

  /** Overwrites the group's memory of each row with values[i * group.memory ..]; marks the rows where it changes. */
  writeMemory({ memory, memoryAt }: ColumnGroup, rows: Int32Array, values: Float32Array): void {
    for (let i = 0; i * memory < values.length; i++) {
      const row = rows[i]!
      const page = this.#pages.floats[row >>> PAGE_BITS]!
      const to = (row & PAGE_MASK) * this.columns.recordWidth + memoryAt
      let changed = false
      for (let c = 0; c < memory; c++) {
        const value = values[i * memory + c]!
        changed ||= page[to + c] !== value
        page[to + c] = value
      }
      if (changed) this.#mark(row)
    }
  }

  /** Rows that changed since the cursor's last `takeDirty`, ascending; they count as seen from now on. */
  takeDirty(cursor: DirtyCursor): Uint32Array {
    const rows = this.#dirty[cursor].list()
    this.#dirty[cursor].clear()
    return rows
  }

  /** As `takeDirty`, but they stay changed. */
  listDirty(cursor: DirtyCursor): Uint32Array {
    return this.#dirty[cursor].list()
  }

  /** How many rows `takeDirty` would give. */
  dirtyCount(cursor: DirtyCursor): number {
    return this.#dirty[cursor].size
  }

  /** Replaces a cursor's set: for a restore, or to hand rows back whose write failed. */
  setDirty(cursor: DirtyCursor, rows: Uint32Array): void {
    this.#dirty[cursor].clear()
    for (const row of rows) this.#dirty[cursor].mark(row)
  }

  /** The bytes of a row's record (`TableColumns`), a view. */
  record(row: number): Uint8Array {
    return this.#pages.record(row)
  }

  /** The records of all rows in row order, in pieces; views, valid until the table changes. */
  *records(): Generator<Uint8Array> {
    for (let page = 0; page < this.#pages.words.length; page++) yield this.#pages.usedBytes(page)
  }

  /** Writes a whole record: over its own row, or as the next new row. Throws CORRUPT for any other row. Marks nothing. */
  writeRecord(row: number, bytes: Uint8Array): void {
    const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const hi = words.getUint32(0, true)
    const lo = words.getUint32(4, true)
    const known = this.#index.findOne(hi, lo)
    if (known < 0 ? row !== this.rows : row !== known) {
      const place = known < 0 ? 'is new' : `is in row ${known}`
      throw new MillraceError('CORRUPT', `row ${row} of ${this.rows} holds a key that ${place}`)
    }
    if (known < 0) this.#pages.append()
    this.#pages.record(row).set(bytes)
    if (known < 0) this.#index.add(hi, lo, row)
  }

  /** Copies `count` words of a row's record, from word `from` on, to out[at ..]. */
  readWords(row: number, from: number, count: number, out: Uint32Array, at: number): void {
    const page = this.#pages.words[row >>> PAGE_BITS]!
    const start = (row & PAGE_MASK) * this.columns.recordWidth + from
    for (let i = 0; i < count; i++) out[at + i] = page[start + i]!
  }

  /** The row of one key, -1 when there is none. */
  findOne(hi: number, lo: number): number {
    return this.#index.findOne(hi, lo)
  }

  /** All values of a row: a view, to read. */
  valuesOf(row: number): Float32Array {
    const page = this.#pages.floats[row >>> PAGE_BITS]!
    const start = (row & PAGE_MASK) * this.columns.recordWidth + KEY_WORDS
    return page.subarray(start, start + this.columns.width)
  }

  /** The same to write to; the row counts as changed. */
  changeValuesOf(row: number): Float32Array {
    this.#mark(row)
    return this.valuesOf(row)
  }

  /** Lets a row's record be changed in place: `edit` gets a page and where in it the record starts. Marks the row. */
  edit(row: number, edit: (page: Float32Array, start: number) => void): void {
    edit(this.#pages.floats[row >>> PAGE_BITS]!, (row & PAGE_MASK) * this.columns.recordWidth)
    this.#mark(row)
  }

  /** Overwrites all values of a row (not its key, not its state) with words[at ..] and marks it. */
  writeValues(row: number, words: Uint32Array, at: number): void {
    const page = this.#pages.words[row >>> PAGE_BITS]!
    const start = (row & PAGE_MASK) * this.columns.recordWidth + KEY_WORDS
    for (let i = 0; i < this.columns.width; i++) page[start + i] = words[at + i]!
    this.#mark(row)
  }

  /** A key without a row gets its initial vector: what it would hold had it been inserted. */
  #copyValues(keys: KeyList, row: number, i: number, values: Float32Array): void {
    const { width, recordWidth, groups } = this.columns
    const at = i * width
    if (row < 0) {
      for (const { initial, valueAt } of groups) {
        writeInitialVector(initial, keys.hi[i]!, keys.lo[i]!, values, at + valueAt - KEY_WORDS)
      }
      return
    }
    const page = this.#pages.floats[row >>> PAGE_BITS]!
    const from = (row & PAGE_MASK) * recordWidth + KEY_WORDS
    for (let c = 0; c < width; c++) values[at + c] = page[from + c]!
  }

  #mark(row: number): void {
    this.#dirty.publication.mark(row)
    this.#dirty.checkpoint.mark(row)
  }
}

function blockEnd(start: number, { count }: KeyList): number {
  return Math.min(start + FIND_BLOCK, count)
}

function isZero(gradient: Float32Array, at: number, width: number): boolean {
  for (let c = 0; c < width; c++) if (gradient[at + c] !== 0) return false
  return true
}

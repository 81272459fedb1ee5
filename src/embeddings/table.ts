/** @file The embedding table: a row per 64-bit key that was learned, in order of first insertion; collision-free, grown without a pause. */

import { MillraceError } from '../errors.ts'
import type { RowKernels } from '../row-kernels.ts'
import { type ColumnGroup, KEY_WORDS, type TableColumns } from './columns.ts'
import { DirtyRows } from './dirty-rows.ts'
import { FreeRows } from './free-rows.ts'
import { writeInitialVector } from './initial-vector.ts'
import { keyBlock, WORTH_A_KERNEL } from './key-block.ts'
import { FIND_BLOCK, KeyIndex } from './key-index.ts'
import type { Eviction, RowLife } from './row-life.ts'
import { PAGE_BITS, PAGE_MASK, RowPages } from './row-pages.ts'
import { type RowStep, rowBlock, stepRows } from './row-step.ts'
import type { DirtyCursor, KeyList, TableBytes } from './table-terms.ts'

/** Rows never move: a row number stays valid until its key is removed; then another key may get it. */
export class EmbeddingTable {
  readonly columns: TableColumns
  readonly #pages: RowPages
  readonly #index: KeyIndex
  readonly #dirty: Readonly<Record<DirtyCursor, DirtyRows>> = {
    publication: new DirtyRows(),
    checkpoint: new DirtyRows(),
  }

  /** Which keys get a row and which are given up; without it every key that is inserted stays. */
  readonly life: RowLife | undefined
  /** Rows without a key, to be used again. */
  readonly free = new FreeRows()
  /** Keys removed since the last publication, hi, lo, hi, lo ...; one that came back is among the changed rows too. */
  readonly removed: number[] = []

  constructor(columns: TableColumns, life?: RowLife) {
    this.columns = columns
    this.life = life
    this.#pages = new RowPages(columns.recordWidth)
    this.#index = new KeyIndex(this.#pages)
  }

  /** Rows, those without a key included. */
  get rows(): number {
    return this.#pages.rows
  }

  /** Rows that hold a key. */
  get used(): number {
    return this.rows - this.free.count
  }

  get bytes(): TableBytes {
    const marks = this.#dirty.publication.bytes + this.#dirty.checkpoint.bytes
    return {
      rows: this.used,
      payloadBytes: this.used * (this.columns.width + this.columns.stateWidth) * 4,
      totalBytes: this.#pages.bytes + this.#index.bytes + marks + (this.life?.bytes ?? 0),
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

  /** As `find`, and copies all values of each key to values[i * columns.width ..]: one visit of the row instead of two; `kernels` may do it. */
  lookUp(keys: KeyList, rows: Int32Array, values: Float32Array, kernels?: RowKernels): number {
    let unseen = 0
    if (kernels !== undefined && keys.count >= WORTH_A_KERNEL) {
      const memory = { shards: this.#index.shards, pages: this.#pages.words }
      unseen = kernels.lookUp(keyBlock(memory, this.columns, keys, rows, values))
      for (let i = 0, left = unseen; left > 0; i++) {
        if (rows[i]! >= 0) continue
        this.#copyValues(keys, -1, i, values)
        left--
      }
      return unseen
    }
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

  /** As `insert`, for rows that `find` or `lookUp` wrote: visits only keys without one; those not admitted stay at -1. */
  insertUnseen(keys: KeyList, rows: Int32Array): number {
    const before = this.used
    for (let i = 0; i < keys.count; i++) {
      if (rows[i]! >= 0) continue
      if (this.life?.admits(keys.hi[i]!, keys.lo[i]!, this.used) === false) continue
      rows[i] = this.insertOne(keys.hi[i]!, keys.lo[i]!)
    }
    return this.used - before
  }

  /** The row of the key, made when there is none. */
  insertOne(hi: number, lo: number): number {
    const found = this.#index.findOne(hi, lo)
    if (found >= 0) return found
    const row = this.free.pop() ?? this.#pages.append()
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
    this.touch(row)
    this.#mark(row)
    return row
  }

  /** Takes the key's row away, values and optimizer state with it; whether there was one. Marks the removal for both cursors. */
  remove(hi: number, lo: number, reason: Eviction): boolean {
    const row = this.#index.findOne(hi, lo)
    if (row < 0) return false
    this.#index.remove(hi, lo, row)
    this.#pages.record(row).fill(0)
    this.free.push(row)
    this.removed.push(hi, lo)
    if (this.life !== undefined) this.life.evicted[reason] += 1
    return true
  }

  /** The row was learned from now: its age starts again and its score grows by one. */
  touch(row: number): void {
    const { lifeAt, recordWidth } = this.columns
    if (lifeAt === undefined || this.life === undefined) return
    const at = (row & PAGE_MASK) * recordWidth + lifeAt
    const page = row >>> PAGE_BITS
    this.life.touch(this.#pages.words[page]!, this.#pages.floats[page]!, at)
    this.#dirty.checkpoint.mark(row)
  }

  /**
   * One optimizer step on a column group of the given distinct rows; gradient i is gradient[i * group.width ..]. A row whose gradient
   * is zero in every column of the group is left as it is: neither its moments nor its mark move.
   */
  update(group: ColumnGroup, rows: Int32Array, gradient: Float32Array, step: RowStep = {}): void {
    const { optimizer } = group
    if (optimizer === undefined) {
      throw new MillraceError('BAD_STATE', `column group "${group.name}" has no optimizer`, {
        remedy: 'a table that only scores is not trained',
      })
    }
    const block = rowBlock(this.#pages.floats, this.columns.recordWidth, group, rows, gradient)
    stepRows(optimizer, block, step)
    for (let i = 0; i < rows.length; i++) if (block.moved[i] === 1) this.#mark(rows[i]!)
  }

  /** Rows that changed since the cursor's last `takeDirty`, ascending; they count as seen from now on. */
  takeDirty(cursor: DirtyCursor): Uint32Array {
    const rows = this.listDirty(cursor)
    this.#dirty[cursor].clear()
    if (cursor === 'publication') this.removed.length = 0
    return rows
  }

  /** As `takeDirty`, but they stay changed. */
  listDirty(cursor: DirtyCursor): Uint32Array {
    const rows = this.#dirty[cursor].list()
    return this.free.count === 0 ? rows : rows.filter((row) => !this.free.has(row))
  }

  /** How many rows `takeDirty` would give; more where some of them were removed. */
  dirtyCount(cursor: DirtyCursor): number {
    return this.#dirty[cursor].size
  }

  /** Replaces a cursor's set: for a restore, or to hand rows back whose write failed. */
  setDirty(cursor: DirtyCursor, rows: Uint32Array): void {
    this.#dirty[cursor].clear()
    for (const row of rows) this.#dirty[cursor].mark(row)
  }

  /** The bytes of a row's record (`TableColumns`), a view: writing to it writes the row. */
  record(row: number): Uint8Array {
    return this.#pages.record(row)
  }

  /** The records of all rows in row order, in pieces; views, valid until the table changes. */
  *records(): Generator<Uint8Array> {
    for (let page = 0; page < this.#pages.words.length; page++) yield this.#pages.usedBytes(page)
  }

  /** The checkpoint cursor gives this row, too, whether it changed or not. */
  repeat(row: number): void {
    this.#dirty.checkpoint.mark(row)
  }

  /** Appends rows up to this number of them, all zero: a restore writes their records and then calls `reindex`. */
  extend(rows: number): void {
    while (this.rows < rows) this.#pages.append()
  }

  /** Finds the rows that are not free by the keys in their records from now on; CORRUPT when two have the same. */
  reindex(): void {
    for (let row = 0; row < this.rows; row++) {
      if (this.free.has(row)) continue
      const [hi, lo] = this.keyOf(row)
      const known = this.#index.findOne(hi, lo)
      if (known >= 0) {
        throw new MillraceError('CORRUPT', `row ${row} holds a key that is in row ${known}`)
      }
      this.#index.add(hi, lo, row)
    }
  }

  keyOf(row: number): [number, number] {
    const page = this.#pages.words[row >>> PAGE_BITS]!
    const record = (row & PAGE_MASK) * this.columns.recordWidth
    return [page[record]!, page[record + 1]!]
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

  /** Overwrites `count` words of a row's record, from word `from` on, with words[at ..] and marks it if they differ. */
  writeWords(row: number, from: number, count: number, words: Uint32Array, at: number): void {
    const page = this.#pages.words[row >>> PAGE_BITS]!
    const start = (row & PAGE_MASK) * this.columns.recordWidth + from
    let changed = false
    for (let i = 0; i < count; i++) {
      changed ||= page[start + i] !== words[at + i]
      page[start + i] = words[at + i]!
    }
    if (changed) this.#mark(row)
  }

  /** Overwrites all values of a row (not its key, not its state) with words[at ..] and marks it. */
  writeValues(row: number, words: Uint32Array, at: number): void {
    this.writeWords(row, KEY_WORDS, this.columns.width, words, at)
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

/** @file The records of a table in pages of typed arrays: adding a page moves no row and copies nothing. */

import { MillraceError } from '../errors.ts'

/** 8,192 rows per page: about 1 MB at 16 columns with Adagrad; row >>> PAGE_BITS is the page. */
export const PAGE_BITS = 13
const ROWS_PER_PAGE = 1 << PAGE_BITS
/** row & PAGE_MASK is the place in the page. */
export const PAGE_MASK = ROWS_PER_PAGE - 1

/** Row numbers fit 27 bits: the other 5 bits of an index entry hold a tag of the key. */
export const MAX_ROWS = 2 ** 27 - 1

/** Records of `recordWidth` 32-bit words; the same bytes as floats and as words. Rows are only ever appended. */
export class RowPages {
  readonly recordWidth: number
  /** Page by page; word `(row & PAGE_MASK) * recordWidth` starts the record. Keys and copies go through the words. */
  readonly words: Uint32Array[] = []
  readonly floats: Float32Array[] = []
  #rows = 0

  constructor(recordWidth: number) {
    this.recordWidth = recordWidth
  }

  get rows(): number {
    return this.#rows
  }

  /** Bytes held, unused rows of the last page included. */
  get bytes(): number {
    return this.words.length * ROWS_PER_PAGE * this.recordWidth * 4
  }

  /** Makes room for one more record, all zero, and returns its row number. */
  append(): number {
    const row = this.#rows
    if (row >= MAX_ROWS) {
      throw new MillraceError('BAD_STATE', `the table is full: ${row} rows`, {
        remedy: 'bound it by admission or expiry, or split the features over two tables',
      })
    }
    if (row >>> PAGE_BITS === this.words.length) {
      const page = new ArrayBuffer(ROWS_PER_PAGE * this.recordWidth * 4)
      this.words.push(new Uint32Array(page))
      this.floats.push(new Float32Array(page))
    }
    this.#rows = row + 1
    return row
  }

  /** The bytes of one record, a view: writing to it writes the row. */
  record(row: number): Uint8Array {
    const page = this.words[row >>> PAGE_BITS]!
    const at = (row & PAGE_MASK) * this.recordWidth * 4
    return new Uint8Array(page.buffer, page.byteOffset + at, this.recordWidth * 4)
  }

  /** The bytes of a page's rows in use, a view. */
  usedBytes(page: number): Uint8Array {
    const used = Math.min(ROWS_PER_PAGE, this.#rows - page * ROWS_PER_PAGE)
    return new Uint8Array(this.words[page]!.buffer, 0, used * this.recordWidth * 4)
  }
}

/** @file What a kernel gets that finds the rows of many keys at once: where the index, the records and the keys lie. */

import type { KeyBlock } from '../row-kernels.ts'
import { KEY_WORDS, type TableColumns } from './columns.ts'
import { PAGE_BITS } from './row-pages.ts'
import type { KeyList } from './table-terms.ts'

/** Keys from which on a kernel is worth the handing over of all arrays. */
export const WORTH_A_KERNEL = 512

/** All values of every key are wanted: values[i * columns.width ..]. */
export function keyBlock(
  memory: Pick<KeyBlock, 'shards' | 'pages'>,
  { width, recordWidth }: TableColumns,
  { hi, lo, count }: KeyList,
  rows: Int32Array,
  values: Float32Array,
): KeyBlock {
  const places = { pageBits: PAGE_BITS, recordWidth, valueAt: KEY_WORDS, width }
  return { ...memory, ...places, hi, lo, count, rows, values }
}

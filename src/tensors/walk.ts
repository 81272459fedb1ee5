/** @file How the second operand of an element-wise kernel is walked beside the first. */

import { lastAxis, sameShape, sizeOf } from './engine.ts'

/** Element (row, column) of the first, `width` columns wide, meets element row * rowStep + column * columnStep. */
export interface Walk {
  readonly width: number
  readonly rowStep: number
  readonly columnStep: number
}

/** The second operand has the first's shape, or is one number, a row or a column. */
export function walkOf(a: readonly number[], b: readonly number[]): Walk {
  const width = lastAxis(a)
  if (sameShape(a, b)) return { width, rowStep: width, columnStep: 1 }
  if (sizeOf(b) === 1) return { width, rowStep: 0, columnStep: 0 }
  return b.length === 1
    ? { width, rowStep: 0, columnStep: 1 }
    : { width, rowStep: 1, columnStep: 0 }
}

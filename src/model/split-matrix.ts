/** @file A matrix of which some columns are the same in every row: those are kept once. */

/** [rows, width] in two parts. */
export interface SplitMatrix {
  readonly rows: number
  /** Where each column is: at place p of `varying` if p >= 0, at place -1 - p of `shared` if not. */
  readonly places: readonly number[]
  /** [rows, columns that differ], row-major. */
  readonly varying: Float32Array
  /** One number for each of the other columns. */
  readonly shared: Float32Array
}

/** A matrix without shared columns. */
export function unsplit(values: Float32Array, rows: number, width: number): SplitMatrix {
  return { rows, places: Array.from({ length: width }, (_, c) => c), varying: values, shared: NONE }
}

const NONE = new Float32Array(0)

/** Splits a row-major matrix by the columns that are shared. */
export function splitColumns(
  values: Float32Array,
  rows: number,
  isShared: readonly boolean[],
): SplitMatrix {
  const width = isShared.length
  const places: number[] = []
  const shared: number[] = []
  let varying = 0
  for (const [c, isSame] of isShared.entries()) {
    places.push(isSame ? -1 - shared.length : varying++)
    if (isSame) shared.push(values[c]!)
  }
  const kept = new Float32Array(rows * varying)
  for (let c = 0; c < width; c++) {
    const to = places[c]!
    if (to < 0) continue
    for (let row = 0; row < rows; row++) kept[row * varying + to] = values[row * width + c]!
  }
  return { rows, places, varying: kept, shared: Float32Array.from(shared) }
}

/** The columns of `a`, then those of `b`. */
export function besides(a: SplitMatrix, b: SplitMatrix): SplitMatrix {
  const [left, right] = [varyingWidth(a), varyingWidth(b)]
  const width = left + right
  const varying = new Float32Array(a.rows * width)
  for (let row = 0; row < a.rows; row++) {
    varying.set(a.varying.subarray(row * left, (row + 1) * left), row * width)
    varying.set(b.varying.subarray(row * right, (row + 1) * right), row * width + left)
  }
  const shared = new Float32Array(a.shared.length + b.shared.length)
  shared.set(a.shared)
  shared.set(b.shared, a.shared.length)
  const moved = b.places.map((place) => (place < 0 ? place - a.shared.length : place + left))
  return { rows: a.rows, places: [...a.places, ...moved], varying, shared }
}

/** Columns that differ from row to row. */
export function varyingWidth({ places, shared }: SplitMatrix): number {
  return places.length - shared.length
}

/** The matrix as a whole, row-major. */
export function whole(matrix: SplitMatrix): Float32Array {
  const { rows, places, varying, shared } = matrix
  if (shared.length === 0) return varying
  const [width, kept] = [places.length, varyingWidth(matrix)]
  const values = new Float32Array(rows * width)
  for (let c = 0; c < width; c++) {
    const place = places[c]!
    for (let row = 0; row < rows; row++) {
      values[row * width + c] = place < 0 ? shared[-1 - place]! : varying[row * kept + place]!
    }
  }
  return values
}

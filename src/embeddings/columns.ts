/** @file How a row is cut into named column groups (shared part, task slices, wide part), each with its own optimizer. */

import { MillraceError } from '../errors.ts'
import { columnSeed, type InitialDraw } from './initial-vector.ts'
import type { SparseOptimizer } from './sparse-optimizer.ts'

/** What a model asks of a table: one group of neighbouring columns. */
export interface ColumnRequest {
  /** Unique in the table, stable over versions: initial values depend on it and not on the group's place. */
  readonly name: string
  readonly width: number
  /** Standard deviation of the initial values; 0 for a linear part. */
  readonly deviation: number
  /** Absent in a table that only scores: it then keeps no optimizer state. */
  readonly optimizer?: SparseOptimizer
  /** A linear part: its weights are for what is shown, so histories add nothing to it. */
  readonly histories?: 'left out'
  /** Floats that the learner remembers beside each row, 0 at first; saved like optimizer state, never published. */
  readonly memory?: number
}

/** A group with its place: values at `valueAt`, state at `stateAt`, in floats from the start of the row's record. */
export interface ColumnGroup extends ColumnRequest {
  readonly valueAt: number
  readonly stateAt: number
  /** The optimizer's floats, then the memory's, which start at `memoryAt`. */
  readonly stateWidth: number
  readonly memoryAt: number
  readonly memory: number
  /** How the group's initial values are drawn. */
  readonly initial: InitialDraw
}

/** The layout of a record: [key hi, key lo | values of all groups | states of all groups | slot | age and score], in 32-bit words. */
export interface TableColumns {
  readonly groups: readonly ColumnGroup[]
  /** Values per row, over all groups. */
  readonly width: number
  /** Optimizer state floats per row, over all groups. */
  readonly stateWidth: number
  /** Where the word is that names the slot of the row's key; undefined in a table that keeps none. */
  readonly slotAt: number | undefined
  /** Where the words of a row's age and score start; undefined in a table that gives no row up by itself. */
  readonly lifeAt: number | undefined
  /** Words per record, key, age and score included. */
  readonly recordWidth: number
}

/** Words at the end of a record: minute when it was learned from last (unsigned), and its score (float32). */
export const LIFE_WORDS = 2

/** Words that a record starts with: the 64-bit key, beside the values so that comparing it fetches them too. */
export const KEY_WORDS = 2

/** What a record may hold besides: age and score of a row that may be given up, the slot of its key. */
export interface RecordExtras {
  readonly life?: boolean
  readonly slot?: boolean
}

/** Places the requested groups one after the other. Throws BAD_SETTINGS for an empty list, a width below 1 or a repeated name. */
export function layOutColumns(
  requests: readonly ColumnRequest[],
  seed: number,
  { life = false, slot = false }: RecordExtras = {},
): TableColumns {
  checkRequests(requests)
  const width = requests.reduce((sum, group) => sum + group.width, 0)
  const groups: ColumnGroup[] = []
  let valueAt = KEY_WORDS
  let stateAt = KEY_WORDS + width
  for (const request of requests) {
    const { memory = 0 } = request
    const optimizerWidth = request.optimizer?.stateWidth(request.width) ?? 0
    const stateWidth = optimizerWidth + memory
    const initial = {
      seed: columnSeed(seed, request.name),
      deviation: request.deviation,
      width: request.width,
    }
    const memoryAt = stateAt + optimizerWidth
    groups.push({ ...request, valueAt, stateAt, stateWidth, memoryAt, memory, initial })
    valueAt += request.width
    stateAt += stateWidth
  }
  const lifeAt = stateAt + (slot ? 1 : 0)
  return {
    groups,
    width,
    stateWidth: stateAt - KEY_WORDS - width,
    slotAt: slot ? stateAt : undefined,
    lifeAt: life ? lifeAt : undefined,
    recordWidth: lifeAt + (life ? LIFE_WORDS : 0),
  }
}

/** The group of that name; throws BAD_STATE when the table has none. */
export function columnGroup(columns: TableColumns, name: string): ColumnGroup {
  const group = columns.groups.find((candidate) => candidate.name === name)
  if (group !== undefined) return group
  const known = columns.groups.map((candidate) => candidate.name).join(', ')
  throw new MillraceError('BAD_STATE', `no column group "${name}"; the table has ${known}`)
}

/** One line that two tables share exactly when a record of one can be read by the other. */
export function describeColumns(columns: TableColumns): string {
  const slot = columns.slotAt === undefined ? '' : ' slot'
  const life = columns.lifeAt === undefined ? '' : ' life'
  const groups = columns.groups
    .map(
      (group) =>
        `${group.name}:${group.width}:${group.optimizer?.kind ?? 'none'}:${group.stateWidth}`,
    )
    .join(' ')
  return groups + slot + life
}

function checkRequests(requests: readonly ColumnRequest[]): void {
  if (requests.length === 0) throw new MillraceError('BAD_SETTINGS', 'a table needs a column group')
  const seen = new Set<string>()
  for (const { name, width } of requests) {
    if (!Number.isInteger(width) || width < 1) {
      throw new MillraceError('BAD_SETTINGS', `column group "${name}" has width ${width}`, {
        remedy: 'give it a whole number of at least 1',
      })
    }
    if (seen.has(name))
      throw new MillraceError('BAD_SETTINGS', `column group "${name}" is named twice`)
    seen.add(name)
  }
}

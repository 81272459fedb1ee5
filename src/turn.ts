/**
 * @file Whose turn it is. Each checkpoint holds what changed since the last one and repeats one n-th of the rest, in turn: so any n
 * of them in a row are the whole, and none has to write everything at once.
 */

/** The turn with this number (0, 1, 2, ...) when everything has its turn once in `of`. */
export interface Turn {
  readonly number: number
  readonly of: number
}

/** Those of the pieces 0 to `count` that have their turn. */
export function* inTurn({ number, of }: Turn, count: number): Generator<number> {
  for (let piece = number % of; piece < count; piece += of) yield piece
}

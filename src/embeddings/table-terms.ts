/** @file Words that a table and its callers share. */

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

/** @file The learner's state as checkpoint parts and as one hash: what is saved, restored, and must be equal after a crash. */

import { createHash } from 'node:crypto'
import { ByteReader, ByteWriter } from '../src/bytes.ts'
import {
  applyTableDelta,
  restoreTable,
  snapshotTable,
  takeTableDelta,
} from '../src/embeddings/table-snapshot.ts'
import { MillraceError } from '../src/errors.ts'
import type { CheckpointPart, LoadedCheckpoint } from '../src/train/checkpoint-store.ts'
import type { JobStages } from './job-stages.ts'
import type { ModelTopicPosition } from './model-topic.ts'

/** Where the learner stands on the bus. */
export interface LearnerPosition {
  /** Next offset of every input. */
  readonly positions: readonly number[]
  readonly nextEpoch: number
  /** Records that every outbox has written, by topic. */
  readonly written: Readonly<Record<string, number>>
  readonly modelTopic: ModelTopicPosition
  /** Of the settings that decide what is learned; a checkpoint of other settings is refused. */
  readonly jobHash: string
  /** Records read since the start of the log. */
  readonly records: number
}

const STAGES = [
  'joiner',
  'batcher',
  'encoder',
  'learner',
  'firstPredictions',
  'progressive',
  'publisher',
  'gate',
] as const satisfies readonly (keyof JobStages)[]

/** The parts of one checkpoint. `full`: tables and predictions whole; else what changed since the last one, which is taken. */
export class LearnerState {
  readonly #stages: JobStages
  #savedPredictions = 0

  constructor(stages: JobStages) {
    this.#stages = stages
  }

  parts(position: LearnerPosition, full: boolean): CheckpointPart[] {
    const { table, predictions } = this.#stages
    const parts: CheckpointPart[] = [
      { name: 'position', append: false, bytes: new ByteWriter().json(position).finish() },
    ]
    for (const name of STAGES) {
      parts.push({ name, append: false, bytes: this.#stages[name].snapshot() })
    }
    const since = full ? predictions.firstKept : this.#savedPredictions
    parts.push(
      { name: 'predictions', append: !full, bytes: predictions.since(since) },
      { name: 'table', append: !full, bytes: full ? this.#wholeTable() : takeTableDelta(table) },
    )
    this.#savedPredictions = predictions.rows
    return parts
  }

  /** Fills fresh stages; CORRUPT when a part is missing. */
  restore(checkpoint: LoadedCheckpoint): LearnerPosition {
    for (const name of STAGES) this.#stages[name].restore(lastPiece(checkpoint, name))
    const [whole, ...deltas] = piecesOf(checkpoint, 'table')
    restoreTable(this.#stages.table, whole)
    for (const delta of deltas) applyTableDelta(this.#stages.table, delta)
    this.#stages.predictions.restoreParts(piecesOf(checkpoint, 'predictions'))
    this.#savedPredictions = this.#stages.predictions.rows
    return new ByteReader(lastPiece(checkpoint, 'position')).json() as LearnerPosition
  }

  /** sha256 (hex) of everything that was learned and everything that is still open; the same for every way of getting there. */
  sha256(position: LearnerPosition): string {
    const hash = createHash('sha256')
    for (const name of STAGES) hash.update(this.#stages[name].snapshot())
    hash.update(snapshotTable(this.#stages.table)).update(this.#stages.predictions.snapshot())
    return hash.update(JSON.stringify([position.positions, position.written])).digest('hex')
  }

  #wholeTable(): Uint8Array {
    this.#stages.table.takeDirty('checkpoint')
    return snapshotTable(this.#stages.table)
  }
}

function piecesOf(checkpoint: LoadedCheckpoint, name: string): [Uint8Array, ...Uint8Array[]] {
  const [first, ...others] = checkpoint.parts.get(name) ?? []
  if (first === undefined) {
    throw new MillraceError('CORRUPT', `checkpoint ${checkpoint.number} has no part ${name}`)
  }
  return [first, ...others]
}

function lastPiece(checkpoint: LoadedCheckpoint, name: string): Uint8Array {
  const pieces = piecesOf(checkpoint, name)
  return pieces.at(-1) ?? pieces[0]
}

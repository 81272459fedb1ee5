/** @file The learner's state as checkpoint parts and as one hash: what is saved, restored, and must be equal after a crash. */

import { createHash } from 'node:crypto'
import { ByteReader, ByteWriter } from '../src/bytes.ts'
import type { EmbeddingTable } from '../src/embeddings/table.ts'
import { restoreTable, snapshotTable, TablePieces } from '../src/embeddings/table-snapshot.ts'
import { MillraceError } from '../src/errors.ts'
import type { Slices } from '../src/slices.ts'
import type { Stage } from '../src/stage.ts'
import type { CheckpointPart, LoadedCheckpoint } from '../src/train/checkpoint-store.ts'
import type { Turn } from '../src/turn.ts'
import type { JobStages } from './job-stages.ts'
import type { ModelTopicPosition } from './model-topic.ts'
import type { FetchedSchemas } from './writer-schemas.ts'

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
  /** Ids of the registry whose schemas were fetched for each topic: waiting events are decoded again on restore. */
  readonly schemas: FetchedSchemas
}

const STAGES = [
  'intake',
  'batcher',
  'encoder',
  'featureState',
  'learner',
  'firstPredictions',
  'openPredictions',
  'progressive',
  'delayedProgressive',
  'drift',
  'publisher',
  'gate',
] as const satisfies readonly (keyof JobStages)[]

/** Kept by what was added since the last checkpoint, and a share of what is older. */
const LOGS = ['predictions', 'delayedPredictions'] as const satisfies readonly (keyof JobStages)[]

/** The parts of one checkpoint: of tables and predictions what changed since the last one, which is taken, and what has its turn. */
export class LearnerState {
  readonly #stages: JobStages
  readonly #named: readonly { readonly name: string; readonly stage: Stage }[]
  /** Embeddings, and the tables of feature state, by the names of their parts. */
  readonly #tables: readonly (readonly [string, EmbeddingTable, TablePieces])[]
  readonly #savedRows = new Map<string, number>()

  constructor(stages: JobStages, exchange?: Stage) {
    this.#stages = stages
    const { realNegatives, drawnNegatives, userErasure, arms, table, featureState } = stages
    const states = Array.from(featureState.tables, ([name, one]) => [`state.${name}`, one] as const)
    this.#tables = [['table', table] as const, ...states].map(
      ([name, one]) => [name, one, new TablePieces(one)] as const,
    )
    const { traffic: armTraffic, quality: armQuality } = arms ?? {}
    const some = {
      realNegatives,
      drawnNegatives,
      userErasure,
      armTraffic,
      armQuality,
      exchange,
    }
    this.#named = [
      ...STAGES.map((name) => ({ name, stage: stages[name] })),
      ...Object.entries(some).flatMap(([name, stage]) =>
        stage === undefined ? [] : [{ name, stage }],
      ),
    ]
  }

  /** In slices, between which nothing may be learned. Some are views that are valid until the next call. */
  *parts(position: LearnerPosition, turn: Turn): Slices<CheckpointPart[]> {
    const parts: CheckpointPart[] = [
      { name: 'position', pieces: false, bytes: new ByteWriter().json(position).finish() },
    ]
    for (const { name, stage } of this.#named) {
      const bytes =
        stage.snapshotting === undefined ? stage.snapshot() : yield* stage.snapshotting()
      parts.push({ name, pieces: false, bytes })
      yield
    }
    for (const name of LOGS) {
      const log = this.#stages[name]
      const bytes = log.piece(this.#savedRows.get(name) ?? 0, turn)
      parts.push({ name, pieces: true, bytes })
      this.#savedRows.set(name, log.rows)
      yield
    }
    for (const [name, , pieces] of this.#tables) {
      parts.push({ name, pieces: true, bytes: yield* pieces.taking(turn) })
    }
    return parts
  }

  /** Fills fresh stages; CORRUPT when a part is missing. */
  restore(checkpoint: LoadedCheckpoint): void {
    for (const { name, stage } of this.#named) stage.restore(lastPiece(checkpoint, name))
    for (const [name, table] of this.#tables) restoreTable(table, ...piecesOf(checkpoint, name))
    for (const name of LOGS) {
      this.#stages[name].restorePieces(piecesOf(checkpoint, name))
      this.#savedRows.set(name, this.#stages[name].rows)
    }
  }

  /** sha256 (hex) of everything that was learned and everything that is still open; the same for every way of getting there. */
  sha256(position: LearnerPosition): string {
    const hash = createHash('sha256')
    for (const { stage } of this.#named) hash.update(stage.snapshot())
    for (const [, table] of this.#tables) hash.update(snapshotTable(table))
    for (const name of LOGS) hash.update(this.#stages[name].snapshot())
    return hash.update(JSON.stringify([position.positions, position.written])).digest('hex')
  }
}

/** Where the learner stood; CORRUPT when the checkpoint does not say. */
export function positionOf(checkpoint: LoadedCheckpoint): LearnerPosition {
  return new ByteReader(lastPiece(checkpoint, 'position')).json() as LearnerPosition
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

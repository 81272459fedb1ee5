/**
 * @file A model put together from updates alone: what a follower scores with. Checks the probe of every version, so that a
 * wrong load is noticed before the first score.
 */

import { layOutColumns } from '../embeddings/columns.ts'
import { PendingRows, SLICE_ROWS } from '../embeddings/pending-rows.ts'
import { StagedRows } from '../embeddings/staged-rows.ts'
import { EmbeddingTable } from '../embeddings/table.ts'
import { importRows, piecesOf, removeKeys, type TableRows } from '../embeddings/table-rows.ts'
import { MillraceError } from '../errors.ts'
import { FeatureState } from '../feature-state/feature-state.ts'
import type { EncodedFeatures } from '../features/encoded-batch.ts'
import { type FeatureSpec, featureSpecFromJson } from '../features/feature-spec.ts'
import { buildModel } from '../model/build-model.ts'
import { EmbeddedBatch } from '../model/embedded-batch.ts'
import { forwardGraph } from '../model/forward-graph.ts'
import { GraphRunner } from '../model/graph-runner.ts'
import type { Model } from '../model/model.ts'
import { modelOptions } from '../model/options.ts'
import { Parameters } from '../model/parameters.ts'
import { readSplit } from '../model/split-input.ts'
import { tableColumns } from '../model/table-columns.ts'
import { readFeatureState } from '../publish/feature-state-section.ts'
import { readRemoved } from '../publish/removed-section.ts'
import {
  type DenseWeights,
  type UpdateContent,
  type UpdateHeader,
  unknownCorrections,
} from '../publish/update.ts'
import { atOnce, type Slices } from '../slices.ts'
import type { Engine } from '../tensors/engine.ts'

/** Largest difference between a consumer's and the trainer's probe scores; float32 on different engines stays below. */
export const PROBE_TOLERANCE = 1e-4

/** One model at one version; `apply` moves it to the next in place. */
export class ServedModel {
  readonly spec: FeatureSpec
  readonly model: Model
  /** What features learned from the stream, at this version: goes into the encoder. */
  readonly state: FeatureState
  readonly #parameters: Parameters
  readonly #table: EmbeddingTable
  readonly #embedded: EmbeddedBatch
  readonly #runner: GraphRunner
  #header: UpdateHeader
  #standardisation: Float64Array
  /** Of this version, and not in the table yet. */
  #pending: PendingRows | undefined

  private constructor(engine: Engine, { header, standardisation }: UpdateContent) {
    this.spec = featureSpecFromJson(JSON.stringify(header.feature_spec))
    this.state = new FeatureState(this.spec, header.tasks)
    this.model = buildModel(modelOptions.parse(header.model), {
      tasks: header.tasks,
      fields: this.spec.slots.length,
      dense: this.spec.denseWidth,
    })
    this.#parameters = new Parameters(this.model.parameters, 0)
    this.#table = new EmbeddingTable(
      layOutColumns(
        tableColumns(this.model, { deviation: header.table.deviation }),
        header.table.seed,
      ),
    )
    this.#embedded = new EmbeddedBatch(this.#table, this.model)
    this.#runner = new GraphRunner(engine, forwardGraph(this.model), this.#parameters)
    this.#header = header
    this.#standardisation = standardisation
  }

  /**
   * From a full update. FOREIGN when it asks for a correction that this scorer does not know, CORRUPT when the probe's scores are
   * not the trainer's.
   */
  static of(engine: Engine, update: UpdateContent): ServedModel {
    return atOnce(ServedModel.loading(engine, update))
  }

  /** The same in slices. */
  static *loading(engine: Engine, update: UpdateContent): Slices<ServedModel> {
    const model = new ServedModel(engine, update)
    try {
      yield* model.#fill(update)
      return model
    } catch (thrown) {
      model.release()
      throw thrown
    }
  }

  get header(): UpdateHeader {
    return this.#header
  }

  /** The feature encoder's statistics at this version. */
  get standardisation(): Float64Array {
    return this.#standardisation
  }

  get rows(): number {
    return this.#table.used
  }

  /** Applies a delta whose parent is this version (the follower checks that). When it throws, no score has changed. */
  apply(delta: UpdateContent): void {
    atOnce(this.applying(delta))
    atOnce(this.settling())
  }

  /**
   * The same in slices: up to the last one every score is of the version before, then of the new one. `settling` is to follow: it
   * changes no score.
   */
  *applying(delta: UpdateContent): Slices<void> {
    yield* this.settling()
    checkCorrections(delta.header)
    const rows = new PendingRows(this.#table, delta.rows.count)
    for (const piece of delta.rows.pieces(SLICE_ROWS)) {
      rows.add(piece)
      yield
    }
    const gone = readRemoved(delta.sections)
    const removed = yield* keysWithout(gone, delta.rows.pieces(SLICE_ROWS))
    const state: StagedState[] = []
    for (const read of readFeatureState(this.state, delta.sections)) {
      const { table } = read
      const pieces = (): Iterable<TableRows> => piecesOf(read.rows, table.columns.width, SLICE_ROWS)
      state.push({
        table,
        rows: yield* staged(table, pieces()),
        removed: yield* keysWithout(read.removed, pieces()),
      })
    }
    this.#swap(delta, rows, removed)
    for (const { table, rows: stateRows, removed: keys } of state) {
      removeKeys(table, keys)
      stateRows.put()
    }
  }

  /** The rows of this version go into the table, in slices; no score changes. */
  *settling(): Slices<void> {
    yield* this.#pending?.settling() ?? []
    this.#pending = undefined
  }

  /** All rows are found: from now on they are what is read. */
  #swap(delta: UpdateContent, rows: PendingRows, removed: Uint32Array): void {
    const before = {
      header: this.#header,
      standardisation: this.#standardisation,
      dense: this.#parameters.values.slice(),
      removed: this.#valuesOf(removed),
    }
    this.#header = delta.header
    this.#standardisation = delta.standardisation
    try {
      this.#setDense(delta.dense)
      removeKeys(this.#table, removed)
      this.#pending = rows
      this.#checkProbe(delta)
    } catch (thrown) {
      this.#header = before.header
      this.#standardisation = before.standardisation
      this.#parameters.values.set(before.dense)
      this.#runner.release()
      this.#pending = undefined
      importRows(this.#table, before.removed)
      throw thrown
    }
  }

  /** Rows of these keys as they score now: one that the table does not have is its initial vector, with or without a row. */
  #valuesOf(keys: Uint32Array): TableRows {
    const count = keys.length / 2
    const hi = Uint32Array.from({ length: count }, (_, i) => keys[2 * i]!)
    const lo = Uint32Array.from({ length: count }, (_, i) => keys[2 * i + 1]!)
    const values = new Float32Array(count * this.#table.columns.width)
    this.#table.lookUp({ hi, lo, count }, new Int32Array(count), values)
    return { keys, values }
  }

  /**
   * Probabilities, task-major: entry t * rows + i. What all rows have in common is computed once, which may change a score by the
   * rounding of a float32.
   */
  score(features: EncodedFeatures): Float32Array {
    return this.#runner.probabilities(readSplit(this.#embedded, features, this.#pending?.edit))
  }

  /** Gives the engine's memory back; scoring takes it again. */
  release(): void {
    this.#runner.release()
  }

  /** Every parameter once, with its shape; CORRUPT otherwise, so that no weight keeps an old or initial value. */
  #setDense(dense: readonly DenseWeights[]): void {
    const given = new Map(dense.map((one) => [one.name, one]))
    for (const { name, shape } of this.model.parameters) {
      const view = this.#parameters.view(name)
      const values = given.get(name)?.values
      if (values?.length !== view.length || String(given.get(name)?.shape) !== String(shape)) {
        throw new MillraceError('CORRUPT', `the update has no weights ${name} of shape ${shape}`)
      }
      view.set(values)
    }
    this.#runner.release()
    if (dense.length !== this.model.parameters.length) {
      throw new MillraceError('CORRUPT', 'the update has weights that the model does not have')
    }
  }

  /** A model that nobody scores with yet. */
  *#fill(update: UpdateContent): Slices<void> {
    const { header, dense, rows, sections } = update
    checkCorrections(header)
    // The probe is encoded already: state is checked here and goes in when all else is right.
    const state = readFeatureState(this.state, sections)
    this.#setDense(dense)
    for (const piece of rows.pieces(SLICE_ROWS)) {
      importRows(this.#table, piece)
      yield
    }
    this.#checkProbe(update)
    for (const read of state) {
      for (const piece of piecesOf(read.rows, read.table.columns.width, SLICE_ROWS)) {
        importRows(read.table, piece)
        yield
      }
    }
  }

  #checkProbe({ header, probe }: UpdateContent): void {
    const scores = this.score(probe.features)
    const worst = scores.reduce(
      (most, score, i) => Math.max(most, Math.abs(score - (probe.scores[i] ?? NaN))),
      0,
    )
    if (worst <= PROBE_TOLERANCE) return
    throw new MillraceError(
      'CORRUPT',
      `the probe of version ${header.sequence} is off by ${worst}`,
      {
        remedy:
          'the weights did not load as the trainer had them; read the topic again from a full update',
      },
    )
  }
}

/** What a delta changes in one table of feature state. */
interface StagedState {
  readonly table: EmbeddingTable
  readonly rows: StagedRows
  readonly removed: Uint32Array
}

function checkCorrections({ corrections }: UpdateHeader): void {
  const unknown = unknownCorrections(corrections)
  if (unknown === undefined) return
  throw new MillraceError('FOREIGN', unknown, { remedy: 'upgrade the consumer' })
}

function* staged(table: EmbeddingTable, pieces: Iterable<TableRows>): Slices<StagedRows> {
  const rows = new StagedRows(table)
  for (const piece of pieces) {
    rows.add(piece)
    yield
  }
  return rows
}

/** The keys that are not among the rows: a removed key that came back is only overwritten. */
function* keysWithout(keys: Uint32Array, pieces: Iterable<TableRows>): Slices<Uint32Array> {
  if (keys.length === 0) return keys
  const left = new Map<string, readonly [hi: number, lo: number]>()
  for (let i = 0; i < keys.length; i += 2) {
    left.set(`${keys[i]} ${keys[i + 1]}`, [keys[i]!, keys[i + 1]!])
  }
  for (const { keys: back } of pieces) {
    for (let i = 0; i < back.length; i += 2) left.delete(`${back[i]} ${back[i + 1]}`)
    yield
  }
  return Uint32Array.from([...left.values()].flat())
}

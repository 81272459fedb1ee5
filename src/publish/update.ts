/**
 * @file A model update: the content of one published version, full or delta, as bytes that hash to its name
 * (docs/model-topic.md is the format for people). Everything a consumer needs to score is in here; what the network or the
 * clock decided (trainer epoch, offsets, wall-clock times) is not, so that the same version is the same bytes in every run.
 */

import { createHash } from 'node:crypto'
import { ByteReader, ByteWriter } from '../bytes.ts'
import type { TableRows } from '../embeddings/table-rows.ts'
import { MillraceError } from '../errors.ts'
import type { EncodedFeatures, SlotKeys } from '../features/encoded-batch.ts'

/** Format of the content; a reader refuses a higher one. */
export const UPDATE_FORMAT = 1

/** What an update says about itself; plain JSON, keys in this order. */
export interface UpdateHeader {
  readonly format: number
  readonly model_id: string
  /** Counts from 1; the version number. Never reused. */
  readonly sequence: number
  readonly kind: 'full' | 'delta'
  /** sha256 (hex) of the content of the previous update; empty for the first. */
  readonly parent_sha256: string
  readonly job_sha256: string
  readonly feature_spec: unknown
  readonly feature_spec_sha256: string
  readonly model: unknown
  readonly tasks: readonly string[]
  /** Columns per row, and what the initial vector of an id without a row is drawn with. */
  readonly table: { readonly width: number; readonly seed: number; readonly deviation: number }
  /** Event time up to which samples were learned from, Unix ms. */
  readonly watermark_ms: number
  readonly samples: number
  readonly steps: number
  /** Per task, over the live window at publication: auc, logloss, normalized_entropy, calibration (null: undefined). */
  readonly metrics: Readonly<Record<string, Readonly<Record<string, number | null>>>>
  /** Corrections a scorer must apply to logits before the sigmoid; a scorer that does not know one of them refuses. */
  readonly corrections: Readonly<Record<string, number>>
}

/** A named dense parameter. */
export interface DenseWeights {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** Encoded inputs and what the trainer's engine scores for them with this version: proof of a correct load. */
export interface Probe {
  readonly features: EncodedFeatures
  /** Probabilities, task-major: entry t * rows + i. */
  readonly scores: Float32Array
}

/** One version. A delta carries the rows touched since its parent and all dense weights. */
export interface UpdateContent {
  readonly header: UpdateHeader
  readonly dense: readonly DenseWeights[]
  /** [count, mean, sum of squared deviations] per dense column: the encoder's statistics. */
  readonly standardisation: Float64Array
  readonly rows: TableRows
  readonly probe: Probe
}

/** The content as bytes; equal contents give equal bytes. */
export function encodeUpdate(update: UpdateContent): Uint8Array {
  const writer = new ByteWriter(update.rows.values.byteLength + 65_536)
  writer.json(update.header).u32(update.dense.length)
  for (const { name, shape, values } of update.dense) writer.text(name).json(shape).array(values)
  writer.array(update.standardisation)
  const { rows } = update
  writer.array(rows.keys).array(rows.values)
  writeFeatures(writer, update.probe.features)
  return writer.array(update.probe.scores).finish()
}

/** The content back from its bytes; CORRUPT when they are not one, FOREIGN when the format is newer than this reader. */
export function decodeUpdate(bytes: Uint8Array): UpdateContent {
  const reader = new ByteReader(bytes)
  const header = reader.json() as UpdateHeader
  if (header.format !== UPDATE_FORMAT) {
    throw new MillraceError(
      'FOREIGN',
      `update format ${header.format}, this reader knows ${UPDATE_FORMAT}`,
      {
        remedy: 'upgrade the consumer',
      },
    )
  }
  const dense: DenseWeights[] = []
  for (let left = reader.u32(); left > 0; left--) {
    dense.push({ name: reader.text(), shape: reader.json() as number[], values: reader.float32() })
  }
  const standardisation = reader.float64()
  const rows = { keys: reader.uint32(), values: reader.float32() }
  return {
    header,
    dense,
    standardisation,
    rows,
    probe: { features: readFeatures(reader), scores: reader.float32() },
  }
}

/** sha256 of an update's content bytes, hex. */
export function contentHash(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

/** Encoded features as they stand in updates and snapshots. */
export function writeFeatures(writer: ByteWriter, features: EncodedFeatures): void {
  writer.u32(features.rows).u32(features.slots.length)
  for (const slot of features.slots) {
    writer.text(slot.pooling).array(slot.hi).array(slot.lo).array(slot.starts)
  }
  writer.u32(features.denseWidth).array(features.dense)
}

/** What `writeFeatures` wrote. */
export function readFeatures(reader: ByteReader): EncodedFeatures {
  const rows = reader.u32()
  const slots: SlotKeys[] = []
  for (let left = reader.u32(); left > 0; left--) {
    slots.push({
      pooling: poolingFrom(reader.text()),
      hi: reader.uint32(),
      lo: reader.uint32(),
      starts: reader.uint32(),
    })
  }
  return { rows, slots, denseWidth: reader.u32(), dense: reader.float32() }
}

function poolingFrom(text: string): SlotKeys['pooling'] {
  if (text === 'single' || text === 'mean' || text === 'sum') return text
  throw new MillraceError('CORRUPT', `unknown pooling ${JSON.stringify(text)} in an update`)
}

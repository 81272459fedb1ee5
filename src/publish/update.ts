/**
 * @file A model update: the content of one published version, full or delta, as bytes that hash to its name
 * (docs/model-topic.md is the format for people). Everything a consumer needs to score is in here; what the network or the
 * clock decided (trainer epoch, offsets, wall-clock times) is not, so that the same version is the same bytes in every run.
 */

import { createHash } from 'node:crypto'
import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { EncodedFeatures } from '../features/encoded-batch.ts'
import { readFeatures, writeFeatures } from './features-bytes.ts'
import { PackedRows, type RowsLayout } from './packed-rows.ts'
import { isKnown, readSections, type UpdateSection, writeSections } from './sections.ts'

/** Format of the content; a reader refuses a higher one. 1: parts without names. 2: sections. */
export const UPDATE_FORMAT = 2

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
  /** By name what made the labels differ from the truth and where that was undone; a scorer that does not know one refuses. */
  readonly corrections: Readonly<Record<string, unknown>>
}

/**
 * One correction: what was done, in fields of its own, and where. `training`: the loss was corrected, so that a score is the
 * sigmoid of the logit as it is.
 */
export interface AppliedCorrection {
  readonly at: 'training'
  readonly [setting: string]: unknown
}

/** `delayed_feedback`: emission, delay correction; `negative_sampling`: keep rate per task; `drawn_negatives`: how many, from how many actions. */
export type Corrections = Readonly<Record<string, AppliedCorrection>>

/** Corrections that this version of the program can score with. */
export const KNOWN_CORRECTIONS: readonly string[] = [
  'delayed_feedback',
  'negative_sampling',
  'drawn_negatives',
]

/** Why a model with these corrections must not be scored with; undefined when all of them are known. */
export function unknownCorrections(
  corrections: Readonly<Record<string, unknown>>,
): string | undefined {
  const unknown = Object.entries(corrections).flatMap(([name, correction]) => {
    const at = typeof correction === 'object' && correction !== null && 'at' in correction
    const known = KNOWN_CORRECTIONS.includes(name) && at && correction.at === 'training'
    return known ? [] : [name]
  })
  return unknown.length === 0 ? undefined : `unknown corrections: ${unknown.join(', ')}`
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
  readonly rows: PackedRows
  readonly probe: Probe
  /** What other parts of the learner add, and what this reader does not know: in the order of the bytes. */
  readonly sections: readonly UpdateSection[]
}

/** The content as bytes; equal contents give equal bytes. */
export function encodeUpdate(update: UpdateContent): Uint8Array {
  const rows = rowsSection(update.rows)
  const writer = new ByteWriter(rows.content.length + 65_536)
  writer.json(update.header)
  writeSections(writer, [
    required('dense', denseBytes(update.dense)),
    required('statistics', new ByteWriter().array(update.standardisation).finish()),
    rows,
    required('probe', probeBytes(update.probe)),
    ...update.sections,
  ])
  return writer.finish()
}

/**
 * The content back from its bytes; CORRUPT when they are not one, FOREIGN when the format is newer than this reader or a
 * required section is unknown to it. Reads every format since 1.
 */
export function decodeUpdate(bytes: Uint8Array): UpdateContent {
  const reader = new ByteReader(bytes)
  const header = readHeader(reader)
  const { width } = header.table
  if (header.format === 1) return { header, ...decodeFormat1(reader, width) }
  const sections = readSections(reader)
  reader.end()
  const part = <Part>(name: string, read: (content: ByteReader, layout: number) => Part): Part => {
    const section = sections.get(name)
    if (section === undefined || !isKnown(section)) {
      throw new MillraceError('CORRUPT', `the update has no section ${name} that this reader knows`)
    }
    const content = new ByteReader(section.content)
    const value = read(content, section.version)
    content.end()
    return value
  }
  return {
    header,
    dense: part('dense', readDense),
    standardisation: part('statistics', (content) => content.float64()),
    rows: part('rows', (content, layout) => PackedRows.read(content, layout as RowsLayout, width)),
    probe: part('probe', readProbe),
    sections: [...sections.values()].filter(({ name }) => !OWN_SECTIONS.has(name)),
  }
}

/** The sections that `UpdateContent` has as fields. */
const OWN_SECTIONS: ReadonlySet<string> = new Set(['dense', 'statistics', 'rows', 'probe'])

function required(name: string, content: Uint8Array): UpdateSection {
  return { name, version: 1, required: true, content }
}

function readHeader(reader: ByteReader): UpdateHeader {
  const header = reader.json()
  const format =
    typeof header === 'object' && header !== null && 'format' in header ? header.format : undefined
  if (typeof format !== 'number') {
    throw new MillraceError('CORRUPT', 'the update has no header with a format')
  }
  if (format > UPDATE_FORMAT) {
    throw new MillraceError(
      'FOREIGN',
      `update format ${format}, this reader knows 1 to ${UPDATE_FORMAT}`,
      {
        remedy: 'upgrade the consumer',
      },
    )
  }
  return header as UpdateHeader
}

/** Format 1 had the same parts without names, one after the other. */
function decodeFormat1(reader: ByteReader, width: number): Omit<UpdateContent, 'header'> {
  return {
    dense: readDense(reader),
    standardisation: reader.float64(),
    rows: PackedRows.read(reader, 1, width),
    probe: readProbe(reader),
    sections: [],
  }
}

function denseBytes(dense: readonly DenseWeights[]): Uint8Array {
  const writer = new ByteWriter(65_536).u32(dense.length)
  for (const { name, shape, values } of dense) writer.text(name).json(shape).array(values)
  return writer.finish()
}

function readDense(reader: ByteReader): DenseWeights[] {
  const dense: DenseWeights[] = []
  for (let left = reader.u32(); left > 0; left--) {
    dense.push({ name: reader.text(), shape: reader.json() as number[], values: reader.float32() })
  }
  return dense
}

function rowsSection(rows: PackedRows): UpdateSection {
  const writer = new ByteWriter(rows.bytes + 1_024)
  rows.write(writer)
  return { name: 'rows', version: rows.layout, required: true, content: writer.finish() }
}

function probeBytes({ features, scores }: Probe): Uint8Array {
  const writer = new ByteWriter()
  writeFeatures(writer, features)
  return writer.array(scores).finish()
}

function readProbe(reader: ByteReader): Probe {
  return { features: readFeatures(reader), scores: reader.float32() }
}

/** sha256 of an update's content bytes, hex. */
export function contentHash(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

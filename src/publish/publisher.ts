/**
 * @file Makes the versions of a model: decides full or delta, collects the rows touched since the previous version, and chains
 * each to its parent by hash. Knows no broker: what it returns is appended by the topology.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { allRows } from '../embeddings/table-rows.ts'
import type { EncodedFeatures } from '../features/encoded-batch.ts'
import { firstRows } from '../features/row-range.ts'
import type { Stage } from '../stage.ts'
import type { Learner } from '../train/learner.ts'
import { readFeatures, writeFeatures } from './features-bytes.ts'
import { graphSection } from './graph-section.ts'
import { removedSection } from './removed-section.ts'
import { type RowTypeOptions, RowTypes } from './row-types.ts'
import type { UpdateSection } from './sections.ts'
import {
  contentHash,
  encodeUpdate,
  UPDATE_FORMAT,
  type UpdateContent,
  type UpdateHeader,
} from './update.ts'

/** What stays the same over all versions of a job. */
export type PublicationIdentity = Pick<
  UpdateHeader,
  'model_id' | 'job_sha256' | 'feature_spec' | 'feature_spec_sha256' | 'model' | 'tasks'
> & { readonly table: UpdateHeader['table'] }

/** What is true at the moment of publication. */
export interface PublicationMoment {
  readonly metrics: UpdateHeader['metrics']
  readonly standardisation: Float64Array
  /** What a scorer must do to logits before the sigmoid; none unless given. */
  readonly corrections?: UpdateHeader['corrections']
  /** What other parts of the learner add (`SECTIONS`); none unless given. */
  readonly sections?: readonly UpdateSection[]
}

/** A finished version. */
export interface Version {
  readonly sequence: number
  readonly kind: 'full' | 'delta'
  readonly sha256: string
  readonly parentSha256: string
  readonly content: Uint8Array
}

export interface PublisherOptions {
  /** A version is due each time the samples learned from cross a multiple of this. */
  readonly everySamples: number
  readonly fullEvery: number
  readonly probeRows: number
  /** What the values of rows are rounded to; float32 unless given. */
  readonly values?: RowTypeOptions
}

/** The state is the head of the chain, and the rows that the next probe is made of. */
export class Publisher implements Stage {
  readonly #learner: Learner
  readonly #identity: PublicationIdentity
  readonly #options: PublisherOptions
  readonly #graph: UpdateSection
  readonly #types: RowTypes
  #sequence = 0
  #sha256 = ''
  #publishedSamples = 0
  #judgedSamples = 0
  #watermarkMs = 0
  #recent: EncodedFeatures = { rows: 0, slots: [], dense: new Float32Array(0), denseWidth: 0 }

  constructor(learner: Learner, identity: PublicationIdentity, options: PublisherOptions) {
    this.#learner = learner
    this.#identity = identity
    this.#options = options
    this.#graph = graphSection(learner.parts.model)
    this.#types = new RowTypes(learner.parts.table, options.values ?? { byDefault: 'float32' })
  }

  /** Sequence of the newest version; 0 before the first. */
  get sequence(): number {
    return this.#sequence
  }

  /** Event time up to which samples were learned from, Unix ms. */
  get watermarkMs(): number {
    return this.#watermarkMs
  }

  /** Takes note of a batch that was learned from; `watermarkMs`: when its last sample was final. */
  observe(features: EncodedFeatures, watermarkMs: number): void {
    this.#recent = firstRows(features, Math.min(this.#options.probeRows, features.rows))
    this.#watermarkMs = watermarkMs
  }

  /** Whether the samples learned from since the last draft was published or held crossed a multiple of the interval. */
  get due(): boolean {
    const { everySamples } = this.#options
    const passed = Math.floor(this.#learner.samples / everySamples)
    return passed > Math.floor(this.#judgedSamples / everySamples)
  }

  /** Samples learned from since the last draft was published or held. */
  get unjudgedSamples(): number {
    return this.#learner.samples - this.#judgedSamples
  }

  /** Whether anything was learned, or taken away, since the last version. */
  get stale(): boolean {
    const { table } = this.#learner.parts
    return this.#learner.samples > this.#publishedSamples || table.removed.length > 0
  }

  /** Whether the next version is a full one. */
  get nextKind(): 'full' | 'delta' {
    return this.#sequence % this.#options.fullEvery === 0 ? 'full' : 'delta'
  }

  /** The next version of the model as it stands; changes nothing, so that it can be judged first. */
  draft(moment: PublicationMoment): UpdateContent {
    const { table, parameters, model } = this.#learner.parts
    const sequence = this.#sequence + 1
    const kind = this.nextKind
    const rows = kind === 'full' ? allRows(table) : table.listDirty('publication')
    return {
      header: this.#header(sequence, kind, moment),
      dense: model.parameters.map(({ name, shape }) => ({
        name,
        shape,
        values: parameters.view(name),
      })),
      standardisation: moment.standardisation,
      rows: this.#types.export(rows),
      probe: { features: this.#recent, scores: this.#probeScores() },
      sections: [
        ...(kind === 'full' ? [this.#graph] : []),
        ...removedSection(kind, table),
        ...(moment.sections ?? []),
      ],
    }
  }

  /** With the rows as followers have them: each at what it was last published as, which is what it rounds to now. */
  #probeScores(): Float32Array {
    return this.#learner.score(this.#recent, (...read) => this.#types.round(...read))
  }

  /** A draft becomes the next version; its rows count as published from now on. Nothing may be learned between the two. */
  commit(draft: UpdateContent): Version {
    const { sequence, kind } = draft.header
    const content = encodeUpdate(draft)
    const sha256 = contentHash(content)
    const version = { sequence, kind, sha256, parentSha256: this.#sha256, content }
    this.#learner.parts.table.takeDirty('publication')
    this.#sequence = sequence
    this.#sha256 = sha256
    this.#publishedSamples = this.#learner.samples
    this.#judgedSamples = this.#learner.samples
    return version
  }

  /** A draft is not published: its number and its rows go into the next one, when that falls due. */
  hold(): void {
    this.#judgedSamples = this.#learner.samples
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter().f64(this.#sequence).text(this.#sha256)
    writer.f64(this.#publishedSamples).f64(this.#judgedSamples).f64(this.#watermarkMs)
    writeFeatures(writer, this.#recent)
    return writer.finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes)
    this.#sequence = reader.f64()
    this.#sha256 = reader.text()
    this.#publishedSamples = reader.f64()
    this.#judgedSamples = reader.f64()
    this.#watermarkMs = reader.f64()
    this.#recent = readFeatures(reader)
  }

  #header(sequence: number, kind: 'full' | 'delta', moment: PublicationMoment): UpdateHeader {
    const { model_id, job_sha256, feature_spec, feature_spec_sha256, model, tasks, table } =
      this.#identity
    return {
      format: UPDATE_FORMAT,
      model_id,
      sequence,
      kind,
      parent_sha256: this.#sha256,
      job_sha256,
      feature_spec,
      feature_spec_sha256,
      model,
      tasks,
      table,
      watermark_ms: this.#watermarkMs,
      samples: this.#learner.samples,
      steps: this.#learner.steps,
      metrics: moment.metrics,
      corrections: moment.corrections ?? {},
    }
  }
}

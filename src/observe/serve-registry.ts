/** @file Turns a scorer's reports into Prometheus metrics; a scorer is its own process with its own registry. */

import { Registry } from 'prom-client'
import {
  type AppliedReport,
  type ScorerReport,
  type ShadowedReport,
  UPDATE_REFUSALS,
} from '../serve/scorer-report.ts'
import type { Clock } from '../time.ts'
import { addProcessMetrics, makersOf } from './instrument-makers.ts'

/** Bucket bounds in seconds of one request: 1 ms to 5 s. */
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** What a registry is made for. */
export interface ServeRegistryOptions {
  /** Version of the program, for `millrace_build_info`. */
  readonly version: string
  /** What staleness is measured with, at every scrape. */
  readonly clock: Clock
  /** Also expose memory, CPU, event loop and garbage collection of the process. */
  readonly processMetrics?: boolean
}

/** The metrics of one scorer. */
export class ServeRegistry {
  readonly #registry = new Registry()
  readonly #instruments: ReturnType<typeof createScorerInstruments>
  readonly #clock: Clock
  #publishedAtMs: number | undefined

  constructor({ version, clock, processMetrics = true }: ServeRegistryOptions) {
    this.#clock = clock
    this.#instruments = createScorerInstruments(this.#registry)
    this.#instruments.build.set({ version, node: process.version }, 1)
    // Prometheus sees no increase in a series that begins at 1.
    for (const reason of Object.keys(UPDATE_REFUSALS)) this.#instruments.refusals.inc({ reason }, 0)
    for (const status of ['200', '500']) this.#instruments.requests.inc({ status }, 0)
    if (processMetrics) addProcessMetrics(this.#registry)
  }

  /** Content type of `expose()`. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** The Prometheus text format, with the staleness as it is now. */
  expose(): Promise<string> {
    if (this.#publishedAtMs !== undefined) {
      this.#instruments.staleness.set((this.#clock.now() - this.#publishedAtMs) / 1000)
    }
    return this.#registry.metrics()
  }

  record(report: ScorerReport): void {
    const { requests, requestSeconds, rows, failures, refusals, readFailures } = this.#instruments
    switch (report.kind) {
      case 'engine':
        this.#instruments.engine.set({ engine: report.engine, reason: report.reason }, 1)
        break
      case 'request':
        requests.inc({ status: String(report.status) })
        requestSeconds.observe(report.seconds)
        break
      case 'scored':
        rows.inc(report.rows)
        break
      case 'failed':
        failures.inc()
        break
      case 'applied':
        this.#recordVersion(report)
        break
      case 'refused':
        refusals.inc({ reason: report.reason })
        if (!report.usable) this.#forgetVersion()
        break
      case 'unreadable':
        readFailures.inc()
        break
      case 'shadowed':
        this.#recordShadow(report)
        break
      case 'shadow-version':
        this.#instruments.shadowVersion.set(report.sequence)
        break
      case 'shadow-refused':
        this.#instruments.shadowRefusals.inc({ reason: report.reason })
        break
      default:
        report satisfies never
    }
  }

  #recordShadow({ rows, tasks }: ShadowedReport): void {
    const { shadowRows, probability, shadowDistance } = this.#instruments
    shadowRows.inc(rows)
    for (const { task, answer, shadow, distance } of tasks) {
      probability.inc({ task, version: 'answer' }, answer * rows)
      probability.inc({ task, version: 'shadow' }, shadow * rows)
      shadowDistance.inc({ task }, distance * rows)
    }
  }

  #recordVersion({ sequence, tableRows, publishedAtMs }: AppliedReport): void {
    this.#instruments.applied.inc()
    this.#instruments.version.set(sequence)
    this.#instruments.tableRows.set(tableRows)
    this.#publishedAtMs = publishedAtMs
  }

  /** A version that is not in use has no age. */
  #forgetVersion(): void {
    const { version, tableRows, staleness } = this.#instruments
    for (const gauge of [version, tableRows, staleness]) gauge.remove({})
    this.#publishedAtMs = undefined
  }
}

/** Every metric a scorer exposes; nothing goes into prom-client's global registry. */
export function createScorerInstruments(registry: Registry) {
  const { counter, gauge, histogram } = makersOf(registry)
  return {
    requests: counter('scorer_requests_total', 'Requests to score, by HTTP status.', ['status']),
    requestSeconds: histogram(
      'scorer_request_duration_seconds',
      'Duration of a request to score.',
      REQUEST_BUCKETS,
    ),
    rows: counter('scorer_rows_total', 'Rows scored.'),
    failures: counter('scorer_failures_total', 'Requests that ended in a fault of the program.'),
    version: gauge('scorer_model_version', 'Sequence number of the version in use.'),
    staleness: gauge(
      'scorer_staleness_seconds',
      'Wall clock since the version in use was published.',
    ),
    tableRows: gauge('scorer_table_rows', 'Rows of the embedding table in use.'),
    applied: counter('scorer_updates_applied_total', 'Updates taken from the model topic.'),
    refusals: counter('scorer_updates_refused_total', 'Updates not taken, by reason.', ['reason']),
    readFailures: counter('scorer_topic_failures_total', 'Failed reads of the model topic.'),
    shadowVersion: gauge('scorer_shadow_version', 'Sequence number of the version in the shadow.'),
    shadowRefusals: counter(
      'scorer_shadow_updates_refused_total',
      'Updates of the version in the shadow that were not taken, by reason.',
      ['reason'],
    ),
    shadowRows: counter('scorer_shadow_rows_total', 'Rows that two versions scored.'),
    probability: counter(
      'scorer_shadow_probability_total',
      'Sum of the probabilities of those rows, by the version that answered and by the one in its shadow.',
      ['task', 'version'],
    ),
    shadowDistance: counter(
      'scorer_shadow_distance_total',
      'Sum of the absolute differences between the two.',
      ['task'],
    ),
    engine: gauge('engine_info', 'Engine in use and why; always 1.', ['engine', 'reason']),
    build: gauge('build_info', 'Version of the program; always 1.', ['version', 'node']),
  }
}

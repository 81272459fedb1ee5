/** @file What a job can say about its embedded log; settings composes it into the job file. */

import { z } from 'zod'
import { DEFAULT_MAX_RECORD_BYTES } from './topic-rules.ts'

/** Options of `openFileLog`, with their defaults. */
export const fileLogOptions = z.strictObject({
  path: z.string().min(1).describe('Directory of the log; made when it does not exist.'),
  access: z
    .enum(['read-write', 'read-only'])
    .default('read-write')
    .describe('read-only never makes a file: for followers on a mounted copy.'),
  fsync: z
    .enum(['always', 'interval', 'never'])
    .default('interval')
    .describe(
      'When appended records are brought to the disk; a killed process loses none either way.',
    ),
  fsyncBytes: z
    .int()
    .positive()
    .default(8 << 20)
    .describe('interval: bytes of a topic that may not be on the disk yet.'),
  segmentBytes: z
    .int()
    .positive()
    .default(64 << 20)
    .describe('Size at which a new segment begins; retention forgets whole segments.'),
  maxRecordBytes: z
    .int()
    .positive()
    .default(DEFAULT_MAX_RECORD_BYTES)
    .describe('Largest key plus value of one record.'),
})

/** What `openFileLog` takes: everything but the path has a default. */
export type FileLogOptions = z.input<typeof fileLogOptions>

/** How records are compressed on Kafka; every one of them is read. */
export const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Compression = (typeof COMPRESSIONS)[number]

/** How a client proves to a broker who it is. */
export const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const
export type SaslMechanism = (typeof SASL_MECHANISMS)[number]

/** A text that shows itself only when it is asked to: it is not in logs, errors and dumps of the options. */
export interface HiddenText {
  reveal(): string
}

/** Encryption of the connection to Kafka. */
export interface KafkaTls {
  /** PEM of the authorities that are believed; absent: those of the system. */
  readonly authorities?: string
  /** PEM of the certificate that the client shows, and its key. */
  readonly certificate?: string
  readonly key?: HiddenText
}

/** Options of `openKafkaLog`. */
export interface KafkaLogOptions {
  /** host:port of some brokers; the others are found through them. */
  readonly brokers: readonly string[]
  /** How the client calls itself: quotas and the broker's logs know it by this name. */
  readonly clientId?: string
  readonly tls?: KafkaTls
  readonly sasl?: {
    readonly mechanism: SaslMechanism
    readonly username: string
    readonly password: HiddenText
  }
  /** Copies of a topic that is made; absent: what the cluster has as its default. */
  readonly replication?: number
  readonly compression?: Compression
  /** Largest key plus value of one record; topics that are made take it. */
  readonly maxRecordBytes?: number
  /** How long a broker that does not answer is waited for before an operation fails. */
  readonly patienceMs?: number
  /** Gets the lines of the Kafka client; absent: they are dropped, and what matters is in the errors. */
  readonly onClientLine?: (line: KafkaClientLine) => void
}

/** One line of the Kafka client's log. */
export interface KafkaClientLine {
  readonly level: 'error' | 'warn' | 'info'
  readonly message: string
}

/** How long a broker that does not answer is waited for, unless told otherwise: longer than a restart takes. */
export const DEFAULT_PATIENCE_MS = 60_000

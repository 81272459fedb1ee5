/** @file The `bus` section of a job: where the topics live and how their records are framed. */

import { z } from 'zod'
import { COMPRESSIONS, DEFAULT_PATIENCE_MS, SASL_MECHANISMS } from '../broker/options.ts'
import { DEFAULT_MAX_RECORD_BYTES } from '../broker/topic-rules.ts'
import { secretReference } from './environment.ts'

const registryOptions = z
  .strictObject({
    url: z
      .string()
      .regex(/^(https?:\/\/[^/@\s]+(\/\S*)?|\$\{\S*)$/, 'http(s)://host:port, without credentials')
      .describe('http(s)://host:port, with a path where it has one'),
    username: z.string().min(1).optional().describe('for HTTP basic authentication'),
    password: secretReference.optional().describe('where the password is: from_env or from_file'),
    token: secretReference.optional().describe('where the token for bearer authentication is'),
    timeout_ms: z.int().min(1).default(10_000).describe('longest wait for one answer'),
    patience_ms: z
      .int()
      .min(0)
      .default(60_000)
      .describe('how long a registry that is away is asked again before the job stops'),
  })
  .superRefine(({ username, password, token }, context) => {
    if ((username === undefined) !== (password === undefined)) {
      context.addIssue({
        code: 'custom',
        path: [username === undefined ? 'password' : 'username'],
        message: 'username and password go together',
      })
    }
    if (token !== undefined && username !== undefined) {
      context.addIssue({ code: 'custom', path: ['token'], message: 'a login or a token, not both' })
    }
  })

const framing = {
  framing: z
    .enum(['single-object', 'confluent'])
    .default('single-object')
    .describe('bytes in front of every Avro value: schema fingerprint, or registry id'),
  schema_ids: z
    .record(z.string(), z.int().nonnegative().max(0x7fffffff))
    .default({})
    .describe('confluent framing: the registry id of each topic, by topic name'),
  registry: registryOptions
    .optional()
    .describe('confluent framing: the schema registry that knows the schemas of all producers'),
}

const partitions = z
  .int()
  .min(1)
  .max(1024)
  .default(2)
  .describe('partitions of a topic that does not exist yet')

const retention = {
  retention_bytes: z
    .int()
    .positive()
    .optional()
    .describe('bytes kept of each partition of a topic that this job makes; absent: all'),
  retention_ms: z
    .int()
    .positive()
    .optional()
    .describe('age at which records of such a topic may go; absent: never'),
}

const fileBus = z.strictObject({
  kind: z.literal('file'),
  path: z
    .string()
    .min(1)
    .default('.millrace/bus')
    .describe('directory of the log, relative to the working directory'),
  fsync: z
    .enum(['always', 'interval', 'never'])
    .default('interval')
    .describe('when appended records are brought to the disk; a killed process loses none'),
  segment_bytes: z
    .int()
    .positive()
    .default(64 << 20)
    .describe('size at which a new segment begins; retention forgets whole segments'),
  partitions,
  ...retention,
  ...framing,
})

const memoryBus = z.strictObject({
  kind: z.literal('memory'),
  partitions,
  ...retention,
  ...framing,
})

const saslOptions = z.strictObject({
  mechanism: z.enum(SASL_MECHANISMS),
  username: z.string().min(1),
  password: secretReference.describe('where the password is: from_env or from_file'),
})

const kafkaBus = z
  .strictObject({
    kind: z.literal('kafka'),
    brokers: z
      .array(z.string().min(1))
      .min(1)
      .describe('host:port of some brokers; the others are found through them'),
    client_id: z.string().min(1).default('millrace'),
    tls: z.boolean().default(false).describe('encrypt, and check the certificate of the broker'),
    tls_authorities: z
      .string()
      .min(1)
      .optional()
      .describe('PEM file of the authorities to believe; left out: those of the system'),
    tls_certificate: z
      .string()
      .min(1)
      .optional()
      .describe('PEM file of the certificate that this client shows'),
    tls_key: secretReference.optional().describe('where the key of tls_certificate is'),
    sasl: saslOptions.optional(),
    group: z
      .string()
      .min(1)
      .optional()
      .describe(
        'consumer group whose committed offsets follow the checkpoints; left out: the job name',
      ),
    session_ms: z
      .int()
      .min(1_000)
      .default(10_000)
      .describe('how long a joiner that shows no sign of life keeps its shards'),
    replication: z
      .int()
      .min(1)
      .max(1000)
      .optional()
      .describe('copies of a topic that does not exist yet; left out: the default of the cluster'),
    compression: z.enum(COMPRESSIONS).default('none').describe('of what this job appends'),
    max_record_bytes: z
      .int()
      .min(1024)
      .default(DEFAULT_MAX_RECORD_BYTES)
      .describe('largest key plus value of one record'),
    patience_ms: z
      .int()
      .min(0)
      .default(DEFAULT_PATIENCE_MS)
      .describe('how long a broker that does not answer is waited for before the job fails'),
    partitions,
    ...retention,
    ...framing,
  })
  .superRefine((bus, context) => {
    const files = ['tls_authorities', 'tls_certificate', 'tls_key'] as const
    for (const file of bus.tls ? [] : files) {
      if (bus[file] === undefined) continue
      context.addIssue({ code: 'custom', path: [file], message: 'needs tls: true' })
    }
    if ((bus.tls_certificate === undefined) !== (bus.tls_key === undefined)) {
      context.addIssue({
        code: 'custom',
        path: [bus.tls_key === undefined ? 'tls_certificate' : 'tls_key'],
        message: 'tls_certificate and tls_key go together',
      })
    }
  })

/** What a job may say about its bus, told apart by `kind`. */
export const busOptions = z.discriminatedUnion('kind', [fileBus, memoryBus, kafkaBus])

export type BusOptions = z.output<typeof busOptions>

/** The settings of a bus on Kafka. */
export type KafkaBusOptions = Extract<BusOptions, { kind: 'kafka' }>

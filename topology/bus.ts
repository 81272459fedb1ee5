/** @file Opens the bus that a job names. */

import { readFileSync } from 'node:fs'
import { openFileLog } from '../src/broker/file-log/file-log.ts'
import { openKafkaLog } from '../src/broker/kafka-log/kafka-log.ts'
import { MemoryLog } from '../src/broker/memory-log.ts'
import type { KafkaLogOptions } from '../src/broker/options.ts'
import type { TopicLog } from '../src/broker/topic-log.ts'
import { MillraceError, messageOf } from '../src/errors.ts'
import type { BusOptions, KafkaBusOptions } from '../src/settings/bus-options.ts'
import {
  type Environment,
  expandSettings,
  expandText,
  readSecret,
} from '../src/settings/environment.ts'

/** The job's bus; BROKER or IO error when it cannot be opened. */
export async function openBus(
  bus: BusOptions,
  environment: Environment = process.env,
): Promise<TopicLog> {
  switch (bus.kind) {
    case 'file':
      return openFileLog({
        path: expandText(bus.path, environment),
        fsync: bus.fsync,
        segmentBytes: bus.segment_bytes,
      })
    case 'memory':
      return new MemoryLog()
    case 'kafka':
      return openKafkaLog(kafkaOptions(expandSettings(bus, environment), environment))
  }
}

/** The settings of a Kafka bus with its files and secrets read; BAD_SETTINGS when one is missing. */
export function kafkaOptions(bus: KafkaBusOptions, environment: Environment): KafkaLogOptions {
  const { sasl, replication } = bus
  return {
    // One variable may name several brokers.
    brokers: bus.brokers.flatMap((brokers) => brokers.split(',')).map(brokerAddress),
    clientId: bus.client_id,
    compression: bus.compression,
    maxRecordBytes: bus.max_record_bytes,
    patienceMs: bus.patience_ms,
    ...(replication === undefined ? {} : { replication }),
    ...(bus.tls ? { tls: tlsOf(bus, environment) } : {}),
    ...(sasl === undefined
      ? {}
      : { sasl: { ...sasl, password: readSecret(sasl.password, environment) } }),
  }
}

function brokerAddress(text: string): string {
  const address = text.trim()
  if (/^[^\s:]+:\d{1,5}$/.test(address)) return address
  throw new MillraceError('BAD_SETTINGS', `bus.brokers has "${address}"`, {
    remedy: 'name each broker as host:port, for example localhost:9092',
  })
}

function tlsOf(
  bus: KafkaBusOptions,
  environment: Environment,
): NonNullable<KafkaLogOptions['tls']> {
  const { tls_authorities, tls_certificate, tls_key } = bus
  return {
    ...(tls_authorities === undefined ? {} : { authorities: readPem(tls_authorities) }),
    ...(tls_certificate === undefined ? {} : { certificate: readPem(tls_certificate) }),
    ...(tls_key === undefined ? {} : { key: readSecret(tls_key, environment) }),
  }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new MillraceError('BAD_SETTINGS', `cannot read ${file}: ${messageOf(cause)}`, {
      remedy: 'give a PEM file that this user may read',
      cause,
    })
  }
}

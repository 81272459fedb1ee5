/** @file Our options as kafkajs wants them: brokers, encryption, login, time limits, and its log lines kept off the terminal. */

import { type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs'
import type { KafkaClientLine, KafkaLogOptions, KafkaTls } from '../options.ts'

const CONNECTION_TIMEOUT_MS = 3_000
const AUTHENTICATION_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000

const LEVELS: Readonly<Record<number, KafkaClientLine['level']>> = {
  [logLevel.ERROR]: 'error',
  [logLevel.WARN]: 'warn',
  [logLevel.INFO]: 'info',
}

/** The configuration of every client that this log opens. kafkajs itself never retries: `patiently` does. */
export function clientConfig(options: KafkaLogOptions): KafkaConfig {
  const { brokers, clientId = 'millrace', tls, sasl, onClientLine } = options
  return {
    brokers: [...brokers],
    clientId,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    authenticationTimeout: AUTHENTICATION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { retries: 0 },
    logLevel: onClientLine === undefined ? logLevel.NOTHING : logLevel.INFO,
    logCreator:
      () =>
      ({ level, log }) =>
        onClientLine?.({ level: LEVELS[level] ?? 'info', message: log.message }),
    ...(tls === undefined ? {} : { ssl: tlsConfig(tls) }),
    ...(sasl === undefined ? {} : { sasl: saslConfig(sasl) }),
  }
}

function tlsConfig({ authorities, certificate, key }: KafkaTls): NonNullable<KafkaConfig['ssl']> {
  return {
    ...(authorities === undefined ? {} : { ca: authorities }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key: key.reveal() }),
  }
}

function saslConfig(sasl: NonNullable<KafkaLogOptions['sasl']>): SASLOptions {
  const { mechanism, username } = sasl
  const password = sasl.password.reveal()
  switch (mechanism) {
    case 'plain':
    case 'scram-sha-256':
    case 'scram-sha-512':
      return { mechanism, username, password }
  }
}

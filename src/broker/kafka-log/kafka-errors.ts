/** @file What Kafka and kafkajs throw -> errors that say what is wrong and what would be right. */

import { MillraceError, messageOf } from '../../errors.ts'
import type { KafkaLogOptions } from '../options.ts'

/** The parts of a kafkajs error that tell what happened; the class hierarchy does not. */
interface ClientFault {
  readonly name: string
  /** Protocol error, such as NOT_LEADER_FOR_PARTITION. */
  readonly type: string
  /** Of the socket, such as ECONNREFUSED. */
  readonly code: string
  readonly message: string
  readonly retriable: boolean
}

/** A TLS handshake that will fail again. */
const BAD_CERTIFICATE =
  /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME|certificate|wrong version number/i

/** Protocol errors with a remedy of their own. */
const REMEDIES: Readonly<Record<string, string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'Create the topic again: it was deleted while it was in use.',
  TOPIC_AUTHORIZATION_FAILED:
    'Give the user the ACLs Describe, Read, Write and Create on the topic.',
  GROUP_AUTHORIZATION_FAILED: 'Give the user the ACL Read on the group.',
  CLUSTER_AUTHORIZATION_FAILED: 'Give the user the ACLs IdempotentWrite and Create on the cluster.',
  UNKNOWN_MEMBER_ID: 'Set bus.group to a group that nothing consumes with.',
  INVALID_TIMESTAMP:
    'Raise message.timestamp.after.max.ms of the topic: event times run ahead of its clock.',
  MESSAGE_TOO_LARGE: 'Raise max.message.bytes of the topic, or send smaller records.',
  RECORD_LIST_TOO_LARGE: 'Raise max.message.bytes of the topic, or send smaller records.',
  INVALID_REPLICATION_FACTOR: 'Set bus.replication to at most the number of brokers.',
  INVALID_CONFIG: 'The cluster does not take a setting of the topic; see the message.',
  POLICY_VIOLATION: 'The cluster has rules for topics: let its operator create this one.',
  NOT_ENOUGH_REPLICAS: 'Bring the other brokers back, or lower min.insync.replicas of the topic.',
  UNSUPPORTED_VERSION: 'Use a broker of release 2.1 or later.',
}

/** Whether the same call may succeed later: the broker is away, or the leader has moved. */
export function mayPass(thrown: unknown): boolean {
  if (thrown instanceof MillraceError) return false
  const fault = faultOf(thrown)
  if (fault.name === 'KafkaJSConnectionError')
    return !BAD_CERTIFICATE.test(fault.code + fault.message)
  // kafkajs says so while the cluster sets its groups up.
  if (fault.name === 'KafkaJSGroupCoordinatorNotFound') return true
  return fault.retriable
}

/** Whether the protocol error is of this type, such as OFFSET_OUT_OF_RANGE. */
export function isErrorType(thrown: unknown, type: string): boolean {
  return faultOf(thrown).type === type
}

/** The error to show; errors of our own stay as they are. `doing`: what failed, such as "read clicks". */
export function kafkaError(
  thrown: unknown,
  doing: string,
  options: KafkaLogOptions,
): MillraceError {
  if (thrown instanceof MillraceError) return thrown
  const fault = faultOf(thrown)
  const { message, remedy } = explain(fault, options)
  return new MillraceError('BROKER', `cannot ${doing}: ${message}`, { remedy, cause: thrown })
}

function explain(
  fault: ClientFault,
  { brokers, sasl, tls }: KafkaLogOptions,
): { message: string; remedy: string } {
  const place = brokers.join(', ')
  if (fault.name === 'KafkaJSSASLAuthenticationError') {
    const who =
      sasl === undefined ? 'a client without credentials' : `${sasl.username} by ${sasl.mechanism}`
    return {
      message: `${place} does not let ${who} in: ${fault.message}`,
      remedy:
        'Check user, password and mechanism (bus.sasl); the broker must offer that mechanism.',
    }
  }
  if (BAD_CERTIFICATE.test(fault.code + fault.message)) {
    return {
      message: `no encrypted connection to ${place}: ${fault.message}`,
      remedy:
        'Give the authority that signed the certificate of the broker (bus.tls_authorities), and name the broker as its certificate does.',
    }
  }
  if (
    fault.name.includes('Connection') ||
    fault.name.includes('Timeout') ||
    fault.name === 'KafkaJSBrokerNotFound'
  ) {
    const security = `${tls === undefined ? 'without' : 'with'} TLS, ${sasl === undefined ? 'without' : 'with'} credentials`
    return {
      message: `no broker of ${place} answers (${security}): ${fault.message}`,
      remedy:
        'Start the broker, or put bus.brokers right; a broker that wants TLS or credentials hangs up on those without (bus.tls, bus.sasl).',
    }
  }
  return {
    message: fault.type === '' ? fault.message : `${fault.message} (${fault.type})`,
    remedy: REMEDIES[fault.type] ?? 'See the log of the broker.',
  }
}

/** The innermost error: kafkajs wraps what happened into what it did about it. */
function faultOf(thrown: unknown): ClientFault {
  let inner: unknown = thrown
  for (let depth = 0; depth < 8; depth++) {
    const next = field(inner, 'errors')
    const cause = Array.isArray(next) ? next[0] : field(inner, 'cause')
    if (!(cause instanceof Error)) break
    inner = cause
  }
  return {
    name: text(field(inner, 'name')),
    type: text(field(inner, 'type')),
    code: text(field(inner, 'code')),
    message: messageOf(inner),
    retriable: field(inner, 'retriable') === true,
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function text(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}

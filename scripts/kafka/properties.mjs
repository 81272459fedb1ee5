// server.properties of a single broker: everything that it needs and nothing that depends on the machine.

const PROTOCOLS = {
  plaintext: 'PLAINTEXT',
  sasl: 'SASL_PLAINTEXT',
  tls: 'SSL',
  sasl_tls: 'SASL_SSL',
}
const LOGIN = 'org.apache.kafka.common.security'

/** The text of server.properties. */
export function brokerProperties({ host, data, ports, listeners, users, properties }) {
  const addresses = listeners.map((name) => `${PROTOCOLS[name]}://${host}:${ports[name]}`)
  const controller = `${host}:${ports.controller}`
  const lines = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.bootstrap.servers': controller,
    'controller.listener.names': 'CONTROLLER',
    listeners: [...addresses, `CONTROLLER://${controller}`].join(','),
    'advertised.listeners': [...addresses, `CONTROLLER://${controller}`].join(','),
    'inter.broker.listener.name': PROTOCOLS[listeners[0]],
    'listener.security.protocol.map':
      'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL',
    'log.dirs': `${data}/log`,
    // One broker: nothing can be replicated.
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // A misspelt topic is an error, not a new topic.
    'auto.create.topics.enable': 'false',
    'controlled.shutdown.enable': 'false',
    ...(listeners.some((name) => name.startsWith('sasl')) ? saslLines(users) : {}),
    ...(listeners.some((name) => name.endsWith('tls')) ? tlsLines(data) : {}),
    ...properties,
  }
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

function saslLines(users) {
  const plain = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`)
  const perListener = ['sasl_plaintext', 'sasl_ssl'].flatMap((listener) => [
    [
      `listener.name.${listener}.plain.sasl.jaas.config`,
      `${LOGIN}.plain.PlainLoginModule required ${plain.join(' ')};`,
    ],
    [
      `listener.name.${listener}.scram-sha-256.sasl.jaas.config`,
      `${LOGIN}.scram.ScramLoginModule required;`,
    ],
    [
      `listener.name.${listener}.scram-sha-512.sasl.jaas.config`,
      `${LOGIN}.scram.ScramLoginModule required;`,
    ],
  ])
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    ...Object.fromEntries(perListener),
  }
}

function tlsLines(data) {
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': `${data}/tls/broker.pem`,
    'ssl.client.auth': 'requested',
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': `${data}/tls/authority.pem`,
  }
}

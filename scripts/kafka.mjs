// npm run kafka: a real Apache Kafka broker on this machine, until Ctrl-C. Nothing but Java and Maven need be installed.

import { parseArgs } from 'node:util'
import { startKafka } from './kafka/broker.mjs'
import { KAFKA_VERSION } from './kafka/jars.mjs'
import { KafkaError } from './kafka/program.mjs'

const HELP = `Starts Apache Kafka (KRaft, one broker) and runs it until Ctrl-C.

  --port PORT      where clients connect (default 9092); PORT + 1 is the controller's
  --data FOLDER    topics are kept here between starts (default .millrace/kafka)
  --version V      release of Kafka (default ${KAFKA_VERSION})
  --heap-mb MB     memory of the broker (default 1024)

Example: npm run kafka -- --port 19092 --data /tmp/kafka
`

async function main() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '9092' },
      data: { type: 'string', default: '.millrace/kafka' },
      version: { type: 'string', default: KAFKA_VERSION },
      'heap-mb': { type: 'string', default: '1024' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(HELP)
  const port = Number(values.port)
  const heapMb = Number(values['heap-mb'])
  if (!Number.isInteger(port) || port < 1 || port > 65_534)
    throw new KafkaError(`--port ${values.port} is no port`)
  if (!Number.isInteger(heapMb) || heapMb < 128)
    throw new KafkaError(`--heap-mb ${values['heap-mb']}: give 128 or more`)
  const broker = await startKafka({
    data: values.data,
    version: values.version,
    // The controller's address is part of the stored quorum: it must be the same at the next start.
    ports: { plaintext: port, controller: port + 1 },
    heapMb,
    say: (line) => console.log(line),
  })
  console.log(`brokers  ${broker.address()}`)
  console.log(`data     ${broker.data}`)
  console.log(`log      ${broker.logFile}`)
  console.log('Ctrl-C stops it; the topics stay.')
  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    console.log('stopping the broker')
    await broker.stop()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  await broker.exited()
  if (stopping) return console.log('stopped')
  throw new KafkaError(`the broker ended by itself; see ${broker.logFile}`)
}

main().catch((error) => {
  const expected = error instanceof KafkaError || error?.code?.startsWith?.('ERR_PARSE_ARGS')
  console.error(expected ? error.message : error)
  process.exitCode = 1
})

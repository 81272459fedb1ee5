// One real Apache Kafka broker (KRaft: broker and controller in one process), started from Node: for `npm run kafka` and the tests.

import { spawn, spawnSync } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeCertificates } from './certificates.mjs'
import { KAFKA_VERSION, kafkaClassPath } from './jars.mjs'
import { findProgram, KafkaError } from './program.mjs'
import { brokerProperties } from './properties.mjs'

const HOST = '127.0.0.1'
const READY_WITHIN_MS = 180_000
const STOP_WITHIN_MS = 30_000

/**
 * Starts a broker and resolves when it takes connections on every listener. The data folder is formatted when it is new,
 * and used again when it is not.
 *
 * `listeners`: which of plaintext, sasl, tls, sasl_tls it opens; `ports`: theirs by name, free ones when absent.
 * `users`: name -> password, for PLAIN and SCRAM. `properties`: further lines of server.properties.
 */
export async function startKafka(options) {
  const broker = new KafkaBroker(options)
  await broker.prepare()
  await broker.start()
  return broker
}

/** A broker that can be stopped, killed and started again on the same data and ports. */
class KafkaBroker {
  #options
  #java
  #classPath
  #child
  #ports = {}

  constructor({
    data,
    version = KAFKA_VERSION,
    listeners = ['plaintext'],
    ports = {},
    users = {},
    properties = {},
    heapMb = 512,
    say = () => {},
  }) {
    this.#options = { data: resolve(data), version, listeners, users, properties, heapMb, say }
    this.#ports = { ...ports }
  }

  /** host:port of a listener. */
  address(listener = this.#options.listeners[0]) {
    return `${HOST}:${this.#ports[listener]}`
  }

  get data() {
    return this.#options.data
  }

  get logFile() {
    return join(this.data, 'broker.log')
  }

  /** PEM file of the authority that signed the broker's certificate; present with a TLS listener. */
  get authority() {
    return join(this.data, 'tls', 'authority.pem')
  }

  get pid() {
    return this.#child?.pid
  }

  /** Downloads the jars, chooses ports, makes certificates and formats the data folder; each only if need be. */
  async prepare() {
    const { version, listeners, say } = this.#options
    this.#java = findProgram(
      'java',
      'Install a Java runtime, 17 or later (Debian: apt-get install default-jre-headless).',
    )
    this.#classPath = await kafkaClassPath({ version, say })
    for (const name of [...listeners, 'controller']) {
      if (this.#ports[name] === undefined) this.#ports[name] = await freePort()
      else await this.#checkFree(name)
    }
    mkdirSync(this.data, { recursive: true })
    if (listeners.some((name) => name.endsWith('tls'))) makeCertificates(join(this.data, 'tls'))
    writeFileSync(join(this.data, 'server.properties'), this.#properties())
    if (!existsSync(join(this.data, 'log', 'meta.properties'))) this.#format()
  }

  async start() {
    const { say } = this.#options
    if (this.#child !== undefined) throw new KafkaError('the broker is running already')
    for (const name of this.#options.listeners) await this.#checkFree(name)
    const log = openSync(this.logFile, 'a')
    const child = spawn(
      this.#java,
      this.#javaArguments('kafka.Kafka', [join(this.data, 'server.properties')]),
      {
        cwd: this.data,
        stdio: ['ignore', log, log],
      },
    )
    closeSync(log)
    this.#child = child
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined
    })
    for (const name of this.#options.listeners) await this.#answers(this.#ports[name])
    say(`Apache Kafka ${this.#options.version} is ready, process ${child.pid}`)
  }

  /** Lets the broker shut down in order. */
  async stop() {
    const gone = this.#gone()
    this.#child?.kill('SIGTERM')
    const stopped = await Promise.race([
      gone.then(() => true),
      sleep(STOP_WITHIN_MS, false, { ref: false }),
    ])
    if (!stopped) await this.kill()
  }

  /** kill -9. */
  async kill() {
    const gone = this.#gone()
    this.#child?.kill('SIGKILL')
    await gone
  }

  /** Sends a signal to the process: SIGSTOP makes it hang, SIGCONT wakes it up. */
  signal(name) {
    this.#child?.kill(name)
  }

  /** Starts again after `stop` or `kill`, on the same ports and data. */
  async restart() {
    if (this.#child !== undefined) await this.stop()
    await this.start()
  }

  /** Resolves when the process is gone. */
  exited() {
    return this.#gone()
  }

  #gone() {
    const child = this.#child
    if (child === undefined) return Promise.resolve()
    return new Promise((resolve) => child.once('exit', () => resolve()))
  }

  #properties() {
    const { listeners, users, properties } = this.#options
    return brokerProperties({
      host: HOST,
      data: this.data,
      ports: this.#ports,
      listeners,
      users,
      properties,
    })
  }

  #format() {
    const { users, say } = this.#options
    say(`formatting ${join(this.data, 'log')}`)
    const config = join(this.data, 'server.properties')
    // A first letter of our own: an id may not begin with a hyphen.
    const clusterId = `k${randomBytes(16).toString('base64url').slice(1)}`
    const scram = Object.entries(users).flatMap(([name, password]) =>
      ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
        '--add-scram',
        `${mechanism}=[name=${name},password=${password}]`,
      ]),
    )
    const format = ['format', '--standalone', '-t', clusterId, '-c', config, ...scram]
    const { status, stdout, stderr } = spawnSync(
      this.#java,
      this.#javaArguments('kafka.tools.StorageTool', format),
      {
        encoding: 'utf8',
      },
    )
    if (status !== 0)
      throw new KafkaError(`the storage could not be formatted:\n${stdout}${stderr}`)
  }

  #javaArguments(main, rest) {
    const { heapMb } = this.#options
    return [
      `-Xmx${heapMb}m`,
      `-Xms${Math.min(256, heapMb)}m`,
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-Dorg.slf4j.simpleLogger.showDateTime=true',
      '-cp',
      this.#classPath,
      main,
      ...rest,
    ]
  }

  async #checkFree(name) {
    const port = this.#ports[name]
    if (await connects(port)) {
      throw new KafkaError(`port ${port} (${name}) is taken by another program; choose another one`)
    }
  }

  async #answers(port) {
    const tries = READY_WITHIN_MS / 100
    for (let i = 0; i < tries; i++) {
      if (this.#child === undefined)
        throw new KafkaError(`the broker ended while it started:\n${this.#lastLines()}`)
      if (await connects(port)) return
      await sleep(100)
    }
    await this.kill()
    throw new KafkaError(
      `the broker did not answer on port ${port} within ${READY_WITHIN_MS / 1000} s:\n${this.#lastLines()}`,
    )
  }

  #lastLines() {
    return readFileSync(this.logFile, 'utf8').split('\n').slice(-20).join('\n')
  }
}

/** Below the ports that systems give to outgoing connections: a broker that comes back must find its port free. */
const PORTS = { first: 15_000, count: 15_000 }

/** A port that nobody listens on. */
async function freePort() {
  for (let tries = 0; tries < 50; tries++) {
    const port = PORTS.first + randomInt(PORTS.count)
    if (await canListen(port)) return port
  }
  throw new KafkaError(
    `no free port was found from ${PORTS.first} to ${PORTS.first + PORTS.count - 1}`,
  )
}

function canListen(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, HOST, () => server.close(() => resolve(true)))
  })
}

function connects(port) {
  return new Promise((resolve) => {
    const socket = connect(port, HOST)
    const end = (answer) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}

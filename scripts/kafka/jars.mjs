// The jars of an Apache Kafka broker: resolved from Maven Central once, then kept in a cache folder.

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findProgram, KafkaError, whichProgram } from './program.mjs'

/** The broker that the tests and trials run on. */
export const KAFKA_VERSION = '4.1.1'

const SLF4J_VERSION = '1.7.36'

function pom(version) {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId><artifactId>kafka-broker</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>${SLF4J_VERSION}</version></dependency>
  </dependencies>
</project>
`
}

/** Where the jars are kept: MILLRACE_CACHE, or ~/.cache/millrace. */
export function cacheFolder(version = KAFKA_VERSION) {
  return join(
    process.env.MILLRACE_CACHE ?? join(homedir(), '.cache', 'millrace'),
    `kafka-${version}`,
  )
}

/** What this machine lacks to run a broker; empty when it can. */
export function missingForKafka(version = KAFKA_VERSION) {
  const missing = []
  if (whichProgram('java') === undefined) missing.push('java (17 or later)')
  const cached = existsSync(join(cacheFolder(version), 'jars'))
  if (!cached && whichProgram('mvn') === undefined) missing.push('mvn')
  return missing
}

/** The class path of the broker; downloads on first use. Several processes may ask at once. */
export async function kafkaClassPath({ version = KAFKA_VERSION, say = () => {} } = {}) {
  const folder = cacheFolder(version)
  const jars = join(folder, 'jars')
  if (!existsSync(jars)) await download(version, folder, jars, say)
  return readdirSync(jars)
    .filter((file) => file.endsWith('.jar'))
    .map((file) => join(jars, file))
    .join(process.platform === 'win32' ? ';' : ':')
}

async function download(version, folder, jars, say) {
  const maven = findProgram(
    'mvn',
    'Install Maven (Debian: apt-get install maven): it downloads the broker.',
  )
  const work = join(folder, `download-${process.pid}`)
  mkdirSync(work, { recursive: true })
  writeFileSync(join(work, 'pom.xml'), pom(version))
  say(`downloading Apache Kafka ${version} from Maven Central into ${folder} (about 45 MB, once)`)
  try {
    await runMaven(maven, work, version)
    // The folder appears whole or not at all; when another process was faster, its folder is as good.
    if (!existsSync(jars)) renameSync(join(work, 'jars'), jars)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  say(`${readdirSync(jars).length} jars in ${jars}`)
}

function runMaven(maven, work, version) {
  const goal = [
    '-q',
    '-B',
    'dependency:copy-dependencies',
    '-DoutputDirectory=jars',
    '-DincludeScope=runtime',
  ]
  return new Promise((resolve, reject) => {
    const child = spawn(maven, goal, { cwd: work, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else
        reject(
          new KafkaError(
            `Maven could not download Apache Kafka ${version}:\n${output.slice(-2000)}`,
          ),
        )
    })
  })
}

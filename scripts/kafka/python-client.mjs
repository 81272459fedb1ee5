// A Python with an independent Kafka client (librdkafka) and Avro reader, in a cache folder: for the test that reads our topics.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cacheFolder } from './jars.mjs'
import { KafkaError, whichProgram } from './program.mjs'

const PACKAGES = ['confluent-kafka==2.16.1', 'fastavro==1.13.1']

/** The path of the Python; makes its environment on first use. KafkaError when that is not possible. */
export function pythonClient() {
  const folder = join(dirname(cacheFolder()), 'python-client-1')
  const python = join(folder, 'bin', 'python')
  if (existsSync(python)) return python
  const system = whichProgram('python3')
  if (system === undefined) throw new KafkaError('python3 is not installed')
  const work = `${folder}-${process.pid}`
  mkdirSync(dirname(folder), { recursive: true })
  try {
    run(system, ['-m', 'venv', work])
    run(join(work, 'bin', 'python'), [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--target',
      join(work, 'packages'),
      ...PACKAGES,
    ])
    // Whole or not at all; the packages are found by PYTHONPATH, so that the folder may move.
    if (!existsSync(folder)) renameSync(work, folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return python
}

/** Where the packages of `pythonClient` are. */
export function pythonPackages() {
  return join(dirname(cacheFolder()), 'python-client-1', 'packages')
}

function run(program, args) {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0)
    throw new KafkaError(`${program} ${args.join(' ')} failed: ${stderr.slice(-1000)}`)
}

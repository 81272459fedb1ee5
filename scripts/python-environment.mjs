// A Python with what the tests of clients/python and of the exports need, in a cache folder; made on first use.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cacheFolder } from './kafka/jars.mjs'

const PACKAGES = [
  'numpy==2.2.6',
  'fastavro==1.13.1',
  'cryptography==45.0.7',
  'pandas==2.3.3',
  'pytest==8.4.2',
  'mypy==1.18.2',
  'onnx==1.19.1',
  'onnxruntime==1.23.2',
  'safetensors==0.6.2',
]

/** The interpreter, and the folder for PYTHONPATH. An error says what pip or venv said. */
export function pythonEnvironment() {
  const folder = join(dirname(cacheFolder()), 'python-environment-1')
  const program = join(folder, 'bin', 'python')
  const packages = join(folder, 'packages')
  if (existsSync(program)) return { program, packages }
  const work = `${folder}-${process.pid}`
  mkdirSync(dirname(folder), { recursive: true })
  try {
    run('python3', ['-m', 'venv', work])
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
    run(join(work, 'bin', 'python'), [...pip, '--target', join(work, 'packages'), ...PACKAGES])
    // Whole or not at all; the packages are found by PYTHONPATH, so that the folder may move.
    if (!existsSync(folder)) renameSync(work, folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return { program, packages }
}

function run(program, args) {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status === 0) return
  throw new Error(`${program} ${args.join(' ')} failed: ${error?.message ?? stderr.slice(-1000)}`)
}

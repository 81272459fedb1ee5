/** @file What benches are measured beside, and how it is installed: `npm run bench -- peers`. */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { MillraceError } from '../src/errors.ts'
import { packageFile } from '../topology/package-files.ts'

/** A program that is not ours. */
export interface Peer {
  readonly name: string
  /** What it needs on the machine. */
  readonly needs: string
  /** Made by its installation: the program that a bench starts, or the jar that it runs. */
  readonly product: string
  readonly install: () => void
}

/** Where Python environments of peers live; the repository ignores it. */
const FOLDER = '.peers'

const torchHome = packageFile(join(FOLDER, 'torch'))
const tfjsHome = packageFile(join(FOLDER, 'tfjs'))
const streamsHome = packageFile('bench/peers/kafka-streams')

export const PEERS: readonly Peer[] = [
  {
    name: 'torch',
    needs: 'python3 with venv and pip',
    product: join(torchHome, 'bin', 'python'),
    install: () => {
      mkdirSync(packageFile(FOLDER), { recursive: true })
      run('python3', ['-m', 'venv', torchHome])
      const list = packageFile('bench/peers/torch/requirements.txt')
      run(join(torchHome, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '-r', list])
    },
  },
  {
    name: 'tfjs',
    needs: 'npm',
    product: join(tfjsHome, 'node_modules', '@tensorflow', 'tfjs', 'package.json'),
    install: () => {
      mkdirSync(tfjsHome, { recursive: true })
      const packages = ['@tensorflow/tfjs@4.22.0', '@tensorflow/tfjs-backend-wasm@4.22.0']
      run('npm', ['install', '--no-audit', '--no-fund', '--prefix', tfjsHome, ...packages])
    },
  },
  {
    name: 'kafka-streams',
    needs: 'Java 17 and Maven',
    product: join(streamsHome, 'target', 'kafka-streams-join.jar'),
    install: () => run('mvn', ['-q', '-B', '-f', join(streamsHome, 'pom.xml'), 'package']),
  },
]

/** Installs the named peers, or all of them. */
export function installPeers(names: readonly string[], say: (line: string) => void): void {
  const chosen = names.length === 0 ? PEERS : names.map(peerNamed)
  for (const { name, needs, product, install } of chosen) {
    say(`${name}: installing (needs ${needs})`)
    install()
    if (!existsSync(product))
      throw new MillraceError('IO', `${name} was installed without ${product}`)
    say(`${name}: ${product}`)
  }
}

/** The path of a peer's product; USAGE error when it is not installed. */
export function peerProduct(name: string): string {
  const { product } = peerNamed(name)
  if (existsSync(product)) return product
  throw new MillraceError('USAGE', `the peer ${name} is not installed`, {
    remedy: 'run npm run bench -- peers',
  })
}

function peerNamed(name: string): Peer {
  const peer = PEERS.find((one) => one.name === name)
  if (peer !== undefined) return peer
  throw new MillraceError('USAGE', `there is no peer ${name}`, {
    remedy: `choose one of ${PEERS.map((one) => one.name).join(', ')}`,
  })
}

function run(program: string, args: readonly string[]): void {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status === 0) return
  throw new MillraceError('IO', `${program} ${args.join(' ')} failed (${error?.message ?? status})`)
}

/** @file A copy of the built package in a temporary folder, where the commands of a page run as its reader types them. */

import { spawn } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Impressions that `npm start` makes here: enough for every column of its tables, little enough for a test. */
const IMPRESSIONS = 4_000

const COPIED = [
  'dist',
  'docs',
  'examples',
  'schemas',
  'scripts',
  'bench/results',
  'package.json',
  'README.md',
]

/** What a command printed on standard output and on both streams together. */
export interface Printed {
  readonly code: number | null
  readonly stdout: string
  readonly all: string
}

/** Makes the copy; `npm run build` must have been run. */
export function packageCopy(): string {
  if (!existsSync('dist/src/index.js')) throw new Error('dist is missing: run npm run build first')
  const folder = mkdtempSync(join(tmpdir(), 'millrace-docs-'))
  for (const name of [...COPIED, '.dependency-cruiser.mjs']) {
    cpSync(name, join(folder, name), { recursive: true })
  }
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  for (const job of ['simulated/job.yaml', 'kuairand/job.yaml', 'library/shop/job.yaml']) {
    makeSmall(join(folder, 'examples', job))
  }
  writeCommands(folder)
  return folder
}

/** No fixed port, as two learners may run at once; versions often enough for a short run to have deltas. */
function makeSmall(job: string): void {
  const text = readFileSync(job, 'utf8').replace(/every_samples: 10000\b/, 'every_samples: 1000')
  if (/^observe:/m.test(text)) throw new Error(`${job} has an observe section of its own`)
  writeFileSync(job, `${text}\nobserve: { http: { port: 0 } }\n`)
}

/** Runs a block of shell lines in the copy, stopping at the first that fails. */
export function runShell(folder: string, script: string): Promise<Printed> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: `${join(folder, '.commands')}:${process.env.PATH ?? ''}`,
      REPOSITORY: resolve('.'),
      NO_COLOR: '1',
    },
  })
  let stdout = ''
  let all = ''
  child.stdout.on('data', (data) => {
    stdout += String(data)
    all += String(data)
  })
  child.stderr.on('data', (data) => {
    all += String(data)
  })
  return new Promise((done, failed) => {
    child.once('error', failed)
    child.once('close', (code) => done({ code, stdout, all }))
  })
}

/** `npm`, `npx` and `millrace` as they behave here: nothing is installed, built or tested a second time. */
function writeCommands(folder: string): void {
  const commands = join(folder, '.commands')
  mkdirSync(commands)
  const millrace = `exec node "${folder}/dist/bin/millrace.js"`
  write(commands, 'millrace', `${millrace} "$@"`)
  write(
    commands,
    'npm',
    `case "$1 \${2-}" in
  "ci "|"test "|"run build"|"run lint"|"run types"|"run format") exit 0 ;;
  "start "*) shift; [ "\${1-}" = -- ] && shift; ${millrace} start --exit --impressions ${IMPRESSIONS} "$@" ;;
  "run kuairand"|"run millrace")
    name=$2; shift 2; [ "\${1-}" = -- ] && shift
    [ "$name" = kuairand ] && set -- kuairand "$@"
    ${millrace} "$@" ;;
  "run docs") exec node scripts/write-docs.mjs ;;
esac
echo "npm $*: not known to test/docs/package-copy.ts" >&2; exit 1`,
  )
  // The gate runs these tools already; here their arguments must name what exists.
  write(
    commands,
    'npx',
    `tool=$1; shift
case "$tool" in vitest|biome|tsc) ;; *) echo "npx $tool: not known" >&2; exit 1 ;; esac
for path in "$@"; do
  case "$path" in
    -*|run|check|ci) ;;
    *) [ -e "$REPOSITORY/$path" ] || { echo "npx $tool: $path does not exist" >&2; exit 1; } ;;
  esac
done`,
  )
}

function write(folder: string, name: string, body: string): void {
  const path = join(folder, name)
  writeFileSync(path, `#!/usr/bin/env bash\nset -eu\n${body}\n`)
  chmodSync(path, 0o755)
}

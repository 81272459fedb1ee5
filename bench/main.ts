/** @file The command line of the benches: `npm run bench -- NAME [--peer P]`, all of them without a name, and what is made of the results. */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { MillraceError } from '../src/errors.ts'
import { packageFile } from '../topology/package-files.ts'
import { BENCHES } from './benches.ts'
import { chartOf } from './charts.ts'
import {
  type Baseline,
  baselineOf,
  compareResults,
  comparisonLine,
  missingFrom,
} from './compare.ts'
import { installPeers } from './peers.ts'
import { planOf } from './plan.ts'
import { benchSections, PICTURES, pictureName, targetTable } from './report.ts'
import { type Result, readResults } from './result.ts'
import { runBench } from './run-bench.ts'

const HELP = `npm run bench                          every bench, one after the other, each in a process of its own
npm run bench -- NAME [--peer P]       one bench, beside one of its peers
npm run bench -- NAME --rounds N       more or fewer rounds
npm run bench -- list                  the benches and their peers
npm run bench -- peers [NAME...]       installs the peers
npm run bench -- report                writes docs/performance.md from bench/results
npm run bench -- compare               results beside bench/baseline.json; fails when a ratio fell by more than 15%
npm run bench -- baseline              makes the results the new baseline
`

/** Results of the same form that other scripts write: `npm run soak`. */
const SCRIPTS = ['soak']

const RESULTS = packageFile('bench/results')
const BASELINE = packageFile('bench/baseline.json')
const PAGE = packageFile('docs/performance.md')

const print = (line: string): void => void process.stdout.write(`${line}\n`)

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      peer: { type: 'string' },
      rounds: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const [name, ...rest] = positionals
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  switch (name) {
    case undefined:
      return runAll()
    case 'list':
      return list()
    case 'peers':
      installPeers(rest, print)
      return 0
    case 'report':
      return report()
    case 'compare':
      return compare()
    case 'baseline':
      writeFileSync(BASELINE, `${JSON.stringify(baselineOf(resultsOrFail()), undefined, 2)}\n`)
      return 0
    default:
      return runOne(name, values.peer, roundsOf(values.rounds))
  }
}

async function runOne(
  name: string,
  peer: string | undefined,
  rounds: number | undefined,
): Promise<number> {
  const load = BENCHES[name]
  if (load === undefined) {
    throw new MillraceError('USAGE', `there is no bench ${name}`, {
      remedy: `choose one of ${Object.keys(BENCHES).join(', ')}`,
    })
  }
  await runBench({ bench: await load(), peer, rounds, results: RESULTS, print })
  return 0
}

/** In processes of their own: what one left on the heap or taught the compiler is no part of the next. */
function runAll(): number {
  const started = performance.now()
  const minutes = (): string => ((performance.now() - started) / 60_000).toFixed(1)
  const failed = Object.keys(BENCHES).filter((name) => {
    print(`\n${name} (after ${minutes()} minutes)`)
    const args = [...process.execArgv, fileURLToPath(import.meta.url), name]
    return spawnSync(process.execPath, args, { stdio: 'inherit' }).status !== 0
  })
  print(`\nall of them: ${minutes()} minutes`)
  if (failed.length === 0) return 0
  print(`failed: ${failed.join(', ')}`)
  return 1
}

async function list(): Promise<number> {
  for (const [name, load] of Object.entries(BENCHES)) {
    const { summary, peers } = await load()
    const beside = peers.length === 0 ? '' : ` (peers: ${peers.join(', ')})`
    print(`${name}: ${summary}${beside}`)
  }
  return 0
}

async function report(): Promise<number> {
  const { withPart } = (await import(packageFile('scripts/generated-part.mjs'))) as {
    withPart(page: string, name: string, content: string): string
  }
  const results = resultsOrFail()
  const pictures = join(packageFile('docs'), PICTURES)
  mkdirSync(pictures, { recursive: true })
  for (const { name, curves } of results) {
    for (const curve of curves) {
      writeFileSync(join(pictures, pictureName(name, curve)), chartOf(curve))
    }
  }
  const notes = packageFile('bench/notes')
  const plan = planOf(results) ?? 'The benches that it is made of have not run yet.'
  let page = withPart(readFileSync(PAGE, 'utf8'), 'targets', targetTable(results))
  page = withPart(page, 'plan', plan)
  writeFileSync(PAGE, withPart(page, 'benches', benchSections(results, notes)))
  print(`wrote ${PAGE}`)
  return 0
}

function compare(): number {
  if (!existsSync(BASELINE)) {
    throw new MillraceError('USAGE', `there is no ${BASELINE}`, {
      remedy: 'run npm run bench, then npm run bench -- baseline',
    })
  }
  const baseline = JSON.parse(readFileSync(BASELINE, 'utf8')) as Baseline
  const results = resultsOrFail()
  const comparisons = compareResults(baseline, results)
  for (const one of comparisons) print(comparisonLine(one))
  const missing = missingFrom(baseline, results)
  for (const figure of missing) print(`GONE  ${figure}`)
  return comparisons.some(({ fell }) => fell) || missing.length > 0 ? 1 : 0
}

/** In the order in which the benches run, then those that have a script of their own. */
function resultsOrFail(): Result[] {
  const order = [...Object.keys(BENCHES), ...SCRIPTS]
  const results = readResults(RESULTS).filter(({ name }) => order.includes(name))
  if (results.length > 0)
    return results.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
  throw new MillraceError('USAGE', `there are no results in ${RESULTS}`, {
    remedy: 'run npm run bench',
  })
}

function roundsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const rounds = Number(text)
  if (Number.isInteger(rounds) && rounds > 0) return rounds
  throw new MillraceError('USAGE', `--rounds ${text} is no number of rounds`)
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (thrown: unknown) => {
    const known = thrown instanceof MillraceError
    const remedy = known && thrown.remedy !== undefined ? `\n${thrown.remedy}` : ''
    process.stderr.write(
      known
        ? `${thrown.message}${remedy}\n`
        : `${thrown instanceof Error ? thrown.stack : String(thrown)}\n`,
    )
    process.exitCode = 1
  },
)

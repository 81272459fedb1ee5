/** @file `npm run learning [-- NAME...]`: runs experiments, keeps their results, and writes the tables of the documentation from them. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { MillraceError } from '../../src/errors.ts'
import { openEngine } from '../../src/tensors/engine-choice.ts'
import { packageFile } from '../../topology/package-files.ts'
import { thisCommit, thisMachine } from '../machine.ts'
import { EXPERIMENTS } from './experiments.ts'
import { type KeptExperiment, LEARNING_PAGE, pageWith, resultFile } from './learning-page.ts'

const HELP = `npm run learning                            every experiment, then the tables of the documentation
npm run learning -- NAME...                 some of them
npm run learning -- --impressions N         shorter or longer simulated worlds (default 300000)
npm run learning -- --page                  only the tables, from bench/results/learning

Experiments: ${EXPERIMENTS.map(({ name }) => name).join(', ')}
`

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      impressions: { type: 'string', default: '300000' },
      page: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return
  }
  const impressions = Number(values.impressions)
  const unknown = positionals.filter((name) => EXPERIMENTS.every((one) => one.name !== name))
  if (unknown.length > 0 || !(impressions > 0)) {
    throw new MillraceError('USAGE', `unknown: ${[...unknown, values.impressions].join(' ')}`, {
      remedy: HELP,
    })
  }
  const wanted = EXPERIMENTS.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  )
  if (!values.page) for (const { name } of wanted) await runOne(name, impressions)
  writePages()
}

async function runOne(name: string, impressions: number): Promise<void> {
  const experiment = EXPERIMENTS.find((one) => one.name === name)
  if (experiment === undefined) throw new MillraceError('USAGE', `no experiment ${name}`)
  const choice = await openEngine('auto')
  process.stderr.write(`${name}: ${experiment.question}\n`)
  const rows = await experiment.run({ engine: choice.engine, impressions })
  const kept: KeptExperiment = {
    name,
    question: experiment.question,
    command: `npm run learning -- ${name} --impressions ${impressions}`,
    measured_on: new Date().toISOString().slice(0, 10),
    commit: thisCommit(),
    machine: thisMachine(),
    engine: choice.name,
    node: process.version,
    rows,
  }
  mkdirSync(packageFile('bench/results/learning'), { recursive: true })
  writeFileSync(packageFile(resultFile(name)), `${JSON.stringify(kept, undefined, 2)}\n`)
}

/** The tables of all results that there are. */
function writePages(): void {
  const results = EXPERIMENTS.flatMap(({ name }) => {
    const file = packageFile(resultFile(name))
    return existsSync(file) ? [JSON.parse(readFileSync(file, 'utf8')) as KeptExperiment] : []
  })
  for (const name of new Set(EXPERIMENTS.map(({ page = LEARNING_PAGE }) => page))) {
    const file = packageFile(name)
    const shown = EXPERIMENTS.filter(({ page = LEARNING_PAGE }) => page === name)
    writeFileSync(file, pageWith(readFileSync(file, 'utf8'), shown, results))
  }
}

await main()

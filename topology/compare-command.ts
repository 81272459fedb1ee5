/** @file `millrace compare`: trains every configuration on the same samples, one after the other, and writes the leaderboard. */

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname } from 'node:path'
import { MillraceError } from '../src/errors.ts'
import { formatCount } from '../src/observe/format.ts'
import { taskResult } from '../src/observe/run-report.ts'
import { type EngineChoice, openEngine } from '../src/tensors/engine-choice.ts'
import { type CommandContext, printResult } from './command-context.ts'
import { type ComparedData, kuairandData, simulatedData } from './compare-data.ts'
import { configurationsOf } from './compare-list.ts'
import { type Board, leaderboardPage, meanAuc } from './compare-page.ts'
import { type Outcome, trainOnce } from './compare-run.ts'
import { packageFile } from './package-files.ts'
import { type Waiting, withProgress } from './waiting.ts'

export interface CompareCommand {
  readonly data: 'kuairand' | 'simulated' | 'both'
  /** The files of KuaiRand-Pure; needed unless `data` is simulated. */
  readonly log?: string
  readonly users?: string
  readonly videos?: string
  /** Length of the simulated stream. */
  readonly impressions: number
  /** Cuts each stream to about so many samples. */
  readonly samples?: number
  /** Only configurations whose `group/name` matches this regular expression. */
  readonly only?: string
  readonly output: string
}

/** Writes the page when a data set is done, so that a long run that is stopped has left something. */
export async function compareCommand(
  context: CommandContext,
  command: CompareCommand,
): Promise<void> {
  const choice = await openEngine('auto')
  const circumstances = {
    commit: commitOf(dirname(packageFile('package.json'))),
    machine: machine(),
    engine: `${choice.name} (${choice.reason})`,
    command: commandLine(command),
  }
  const boards: Board[] = []
  await withProgress(context, async (waiting) => {
    for (const [title, load] of dataSets(context, command, waiting)) {
      context.terminal.write(`${title}: reading and joining\n`)
      boards.push(compareOn(title, await load(), { context, command, choice, waiting }))
      writeFileSync(command.output, leaderboardPage(circumstances, boards))
    }
  })
  const value = { ...circumstances, output: command.output, boards: boards.map(boardResult) }
  printResult(context, value, `wrote ${command.output}`)
}

type Load = () => Promise<ComparedData>

function dataSets(
  { clock }: CommandContext,
  command: CompareCommand,
  waiting: Waiting,
): (readonly [string, Load])[] {
  const { data, log, users, videos, impressions, samples } = command
  const onProgress = (joined: number): void =>
    waiting.show(() => `${formatCount(joined)} samples joined`)
  const options = { clock, samples, onProgress }
  const simulated = ['Simulated app', () => simulatedData(impressions, options)] as const
  if (data === 'simulated') return [simulated]
  if (log === undefined || users === undefined || videos === undefined) {
    throw new MillraceError('USAGE', `--data ${data} needs the files of KuaiRand-Pure`, {
      remedy: 'give --log, --users and --videos, or --data simulated',
    })
  }
  const kuairand = ['KuaiRand', () => kuairandData({ log, users, videos }, options)] as const
  return data === 'kuairand' ? [kuairand] : [kuairand, simulated]
}

interface CompareParts {
  readonly context: CommandContext
  readonly command: CompareCommand
  readonly choice: EngineChoice
  readonly waiting: Waiting
}

function compareOn(title: string, data: ComparedData, parts: CompareParts): Board {
  const { context, command, choice, waiting } = parts
  const pattern = new RegExp(command.only ?? '')
  const configurations = configurationsOf(data.job).filter(({ group, name }) =>
    pattern.test(`${group}/${name}`),
  )
  const outcomes = configurations.map((configuration, i) => {
    const place = `${title} ${i + 1}/${configurations.length} ${configuration.name}`
    const outcome = trainOnce(data, configuration, {
      engine: choice.engine,
      onProgress: (samples) => waiting.show(() => `${place}: ${samples} of ${data.samples}`),
    })
    waiting.finish()
    context.terminal.write(`${place}: ${summary(outcome)}\n`)
    return outcome
  })
  const { source, samples, job } = data
  const tasks = job.join.tasks.map((task) => task.name)
  return { title, source, samples, skipped: job.train.report_skip, tasks, outcomes }
}

function boardResult({ title, source, samples, outcomes }: Board): object {
  return { title, source, samples, outcomes: outcomes.map(outcomeResult) }
}

function outcomeResult(outcome: Outcome): object {
  const { group, name } = outcome.configuration
  if (outcome.kind === 'failed') return { group, name, failed: outcome.reason }
  const tasks = outcome.tasks.map((score) => [
    score.task,
    { ...taskResult(score), auc_interval: score.interval },
  ])
  return {
    group,
    name,
    tasks: Object.fromEntries(tasks),
    samples_per_cpu_second: outcome.samplesPerSecond,
    state_bytes: outcome.stateBytes,
    peak_bytes: outcome.peakBytes,
  }
}

function summary(outcome: Outcome): string {
  if (outcome.kind === 'failed') return outcome.reason
  const pace = Math.round(outcome.samplesPerSecond)
  return `mean AUC ${meanAuc(outcome).toFixed(4)}, ${pace} samples per CPU s`
}

function machine(): string {
  const cores = cpus()
  const { platform, arch, version } = process
  return `${cores[0]?.model ?? 'unknown processor'}, ${cores.length} cores, ${platform} ${arch}, Node ${version}`
}

/** The short hash, and whether files differ from it; a package that was installed has none. */
function commitOf(folder: string): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== ''
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? ' with local changes' : ''}`
  } catch {
    return 'unknown (not a git checkout)'
  }
}

/** Without paths of files, which differ from machine to machine. */
function commandLine({ data, impressions, samples, only }: CompareCommand): string {
  return [
    `npm run compare -- --data ${data}`,
    ...(data === 'simulated' ? [] : ['--log FILE --users FILE --videos FILE']),
    ...(data === 'kuairand' ? [] : [`--impressions ${impressions}`]),
    ...(samples === undefined ? [] : [`--samples ${samples}`]),
    ...(only === undefined ? [] : [`--only '${only}'`]),
  ].join(' ')
}

/** @file `millrace compare`: trains every configuration on the same samples, one after the other, and writes the leaderboard. */

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname } from 'node:path'
import { MillraceError } from '../src/errors.ts'
import { type EngineChoice, openEngine } from '../src/tensors/engine-choice.ts'
import type { CommandContext } from './command-context.ts'
import { type ComparedData, kuairandData, simulatedData } from './compare-data.ts'
import { configurationsOf } from './compare-list.ts'
import { type Board, leaderboardPage, meanAuc } from './compare-page.ts'
import { type Outcome, trainOnce } from './compare-run.ts'
import { packageFile } from './package-files.ts'

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
  for (const [title, load] of dataSets(context, command)) {
    context.terminal.write(`${title}: reading and joining\n`)
    boards.push(compareOn(title, await load(), { context, command, choice }))
    writeFileSync(command.output, leaderboardPage(circumstances, boards))
  }
  context.print(`wrote ${command.output}`)
}

type Load = () => Promise<ComparedData>

function dataSets(context: CommandContext, command: CompareCommand): (readonly [string, Load])[] {
  const { data, log, users, videos, impressions, samples } = command
  const options = { clock: context.clock, samples }
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
}

function compareOn(title: string, data: ComparedData, parts: CompareParts): Board {
  const { context, command, choice } = parts
  const pattern = new RegExp(command.only ?? '')
  const configurations = configurationsOf(data.job).filter(({ group, name }) =>
    pattern.test(`${group}/${name}`),
  )
  const outcomes = configurations.map((configuration, i) => {
    const place = `${title} ${i + 1}/${configurations.length} ${configuration.name}`
    const outcome = trainOnce(data, configuration, {
      engine: choice.engine,
      onProgress: (samples) => showProgress(context, `${place}: ${samples} of ${data.samples}`),
    })
    context.terminal.write(`${clearLine(context)}${place}: ${summary(outcome)}\n`)
    return outcome
  })
  const { source, samples, job } = data
  const tasks = job.join.tasks.map((task) => task.name)
  return { title, source, samples, skipped: job.train.report_skip, tasks, outcomes }
}

function summary(outcome: Outcome): string {
  if (outcome.kind === 'failed') return outcome.reason
  const pace = Math.round(outcome.samplesPerSecond)
  return `mean AUC ${meanAuc(outcome).toFixed(4)}, ${pace} samples per CPU s`
}

/** One line that is overwritten, on a terminal only. */
function showProgress(context: CommandContext, text: string): void {
  if (context.terminal.isTTY) context.terminal.write(`${clearLine(context)}${text}`)
}

function clearLine({ terminal }: CommandContext): string {
  return terminal.isTTY ? '\r\u001b[2K' : ''
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

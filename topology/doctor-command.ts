/** @file `millrace doctor`: what this machine runs on, why this engine, what a faster one still needs; of a job, what its windows lose. */

import { MillraceError } from '../src/errors.ts'
import { formatCount } from '../src/observe/format.ts'
import { loadJob } from '../src/settings/job.ts'
import type { EngineChoice } from '../src/tensors/engine-choice.ts'
import { openEngine } from '../src/tensors/engine-choice.ts'
import { openBus } from './bus.ts'
import { type CommandContext, printResult } from './command-context.ts'
import { examineBus, type Finding } from './doctor-job.ts'
import { requiredNode } from './package-files.ts'
import { findProgram, type Program } from './programs.ts'
import { withProgress } from './waiting.ts'
import { delayCurvesOf, windowLines, windowLosses } from './window-advice.ts'

/** One line per finding on standard output, or all as one value; USAGE after them when Node is too old to run on. */
export async function doctorCommand(context: CommandContext, file?: string): Promise<void> {
  const node = process.versions.node
  const needed = requiredNode()
  const choice = await openEngine('auto')
  const advice = adviceOn(choice, context)
  const text = [
    line('node', `${node} (${needed} or later is needed)`),
    line('engine', `${choice.name}: ${choice.reason}`),
    ...advice,
  ].join('\n')
  const machine = { node, node_needed: needed, engine: choice.name, engine_reason: choice.reason }
  // A bus that does not answer must not hide what is known by then.
  if (context.json !== true || file === undefined) printResult(context, machine, text)
  if (file !== undefined) await examineJob(context, machine, file)
  if (isOlder(node, needed)) {
    throw new MillraceError('USAGE', `Node ${node} is too old`, {
      remedy: `install Node ${needed} or later`,
    })
  }
}

/** One line per finding on the bus of a job; BAD_STATE after them when one must be mended first. */
async function examineJob(context: CommandContext, machine: object, file: string): Promise<void> {
  const job = await loadJob(file)
  const log = await openBus(job.bus)
  try {
    const findings = await examineBus(job, log, context.clock)
    const bad = findings.filter(({ state }) => state === 'bad')
    const curves = bad.some(({ subject }) => subject === 'bus')
      ? undefined
      : await withProgress(context, (waiting) =>
          delayCurvesOf(job, log, context.clock, (records) =>
            waiting.show(() => `${formatCount(records)} records joined`),
          ),
        )
    const windows = curves === undefined ? [] : windowLosses(job, curves)
    const lines = [
      ...findingLines(findings),
      ...(curves === undefined ? [] : windowLines(job, curves)),
    ]
    printResult(context, { ...machine, job: job.name, findings, windows }, lines.join('\n'))
    if (bad.length === 0) return
    const subjects = bad.map(({ subject }) => subject).join(', ')
    throw new MillraceError('BAD_STATE', `${file}: ${subjects} must be mended first`)
  } finally {
    await log.close()
  }
}

function findingLines(findings: readonly Finding[]): string[] {
  const width = Math.max(...findings.map(({ subject }) => subject.length))
  return findings.map(
    ({ subject, state, text }) => `${state.padEnd(6)}${subject.padEnd(width)}  ${text}`,
  )
}

/** How to get the fastest engine, and what of it is here; nothing when it is the one in use. */
function adviceOn(choice: EngineChoice, { environment }: CommandContext): readonly string[] {
  if (choice.name === 'native')
    return [line('faster', 'nothing: no other engine is as fast on this machine')]
  if (environment.MILLRACE_NATIVE === 'off') {
    return [line('faster', 'unset MILLRACE_NATIVE, which refuses the native engine')]
  }
  const compiler = compilerOf(environment)
  return [
    line('faster', `npm run native compiles kernels for this processor: ${readiness(compiler)}`),
    line('', `${compiler.name}: ${compiler.version ?? `missing; ${compiler.remedy}`}`),
  ]
}

function readiness({ version, name }: Program): string {
  if (process.platform === 'win32') return 'but not on Windows'
  if (version === undefined) return `first install ${name}`
  return 'everything it needs is here (a few seconds; nothing is downloaded for it)'
}

/** The program that scripts/native looks for. */
function compilerOf(environment: CommandContext['environment']): Program {
  const compilers = [environment.CXX ?? '', 'g++', 'clang++', 'c++'].filter((name) => name !== '')
  return findProgram(environment, {
    name: 'a C++ compiler',
    calls: compilers.map((name) => [name, '--version']),
    remedy: 'Debian, Ubuntu: apt-get install g++',
  })
}

/** Compares `20.9.0` and `20.10` number by number. */
function isOlder(version: string, needed: string): boolean {
  const found = version.split('.').map(Number)
  for (const [i, least] of needed.split('.').map(Number).entries()) {
    if (found[i] !== least) return (found[i] ?? 0) < least
  }
  return false
}

function line(name: string, text: string): string {
  return `${name.padEnd(8)}${text}`
}

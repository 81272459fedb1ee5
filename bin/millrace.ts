#!/usr/bin/env node
/** @file The command line: parses, then calls topology. Commands are loaded when they run, so that --help answers at once. */

import { Command, CommanderError, Option } from 'commander'
import { MillraceError, messageOf, systemError } from '../src/errors.ts'
import { ENGINE_PREFERENCES } from '../src/tensors/engine-preferences.ts'
import type { CommandContext } from '../topology/command-context.ts'
import { EXIT_MEANINGS, exitCodeOf } from '../topology/exit-codes.ts'
import { packageVersion } from '../topology/package-files.ts'
import { addCompletionCommand } from './completion.ts'
import { addDataSetCommands } from './data-sets.ts'
import {
  fraction,
  jsonOption,
  positive,
  publicKeyOption,
  reportOption,
  share,
  whole,
} from './options.ts'
import { addOwnEventsCommands } from './own-events.ts'
import { addReferenceCommand } from './reference.ts'
import { addSnapshotCommand } from './snapshot.ts'

let json = false

const context: CommandContext = {
  get json() {
    return json
  },
  clock: { now: () => Date.now() },
  environment: process.env,
  terminal: process.stderr,
  print: (text) => void process.stdout.write(`${text}\n`),
  script: process.argv[1] ?? '',
}

const program = new Command('millrace')
  .description('Real-time multi-task learner that lives beside an event bus.')
  .version(packageVersion())
  .option('--no-color', 'no colours; so does NO_COLOR in the environment')
  .exitOverride()
  .hook('preAction', (whole, command) => {
    if (whole.opts().color === false) process.env.NO_COLOR = '1'
    json = command.opts().json === true
  })
  .showHelpAfterError('(run with --help for examples)')
  .addHelpText(
    'after',
    () => `
Examples:
  millrace start
  millrace run --help

Exit codes:
${EXIT_MEANINGS.map(([code, meaning]) => `  ${String(code).padEnd(5)}${meaning}`).join('\n')}`,
  )

program
  .command('start')
  .description('start a simulated app and learn from it, without a broker')
  .option('--exit', 'end after --impressions and print the tables; without a terminal always')
  .option('--impressions <n>', 'length of a bounded run', whole, 300_000)
  .option('--seed <n>', 'seed of the simulated app', whole, 1)
  .option('--per-second <n>', 'events per second of an unbounded run', whole, 3_000)
  .option('--job <file>', 'job file instead of examples/simulated/job.yaml')
  .addOption(reportOption)
  .addOption(jsonOption)
  .addHelpText(
    'after',
    '\nExamples:\n  millrace start\n  millrace start --exit --report report.json',
  )
  .action(async (options) =>
    (await import('../topology/start-command.ts')).startCommand(context, options),
  )

program
  .command('run <job>')
  .description('run a job until Ctrl-C: the whole of it, or one role in a process of its own')
  .option('--exit', 'end when everything that is on the bus was read')
  .addOption(
    new Option(
      '--role <role>',
      'joiner: events to the samples topic, any number of them; trainer: samples to the model topic',
    )
      .choices(['all', 'joiner', 'trainer'])
      .default('all'),
  )
  .option('--share <n/of>', 'trainer: which of several trainers this is, such as 1/2', share)
  .addOption(reportOption)
  .addOption(jsonOption)
  .addHelpText(
    'after',
    `
Examples:
  millrace run examples/simulated/job.yaml --exit
  millrace run examples/simulated/job.yaml --role joiner
  millrace run examples/simulated/job.yaml --role trainer --share 2/2`,
  )
  .action(async (job, options) =>
    (await import('../topology/run-command.ts')).runCommand(context, { job, ...options }),
  )

program
  .command('produce <job>')
  .description("append the simulated app's events to a job's bus")
  .option('--impressions <n>', 'how many impressions; without it, until stopped', whole)
  .option('--seed <n>', 'seed of the simulated app', whole, 1)
  .option('--per-second <n>', 'events per second; without it, as fast as the log takes them', whole)
  .addOption(jsonOption)
  .addHelpText(
    'after',
    '\nExample:\n  millrace produce examples/simulated/job.yaml --impressions 10000',
  )
  .action(async (job, options) =>
    (await import('../topology/produce-command.ts')).produceCommand(context, { job, ...options }),
  )

addDataSetCommands(program, context)
addOwnEventsCommands(program, context)

program
  .command('join <job>')
  .description(
    'join everything on the bus once and write samples and the fate of every event as NDJSON',
  )
  .requiredOption('--output <file>', 'file to write')
  .addOption(jsonOption)
  .addHelpText(
    'after',
    '\nExample:\n  millrace join examples/simulated/job.yaml --output samples.ndjson',
  )
  .action(async (job, options) =>
    (await import('../topology/join-command.ts')).joinCommand(context, { job, ...options }),
  )

program
  .command('replay <job>')
  .description(
    'learn again from what is on the bus: another job on the same samples, or weights that reach the scorers later',
  )
  .option('--against <job>', 'the job to compare with, on the joined stream of the first')
  .option('--sync <list>', 'delays of fresh weights to compare, such as 0s,60s,1h,24h,frozen')
  .option('--from <time>', 'impressions from this event time on: ISO 8601 with a zone, or Unix ms')
  .option('--to <time>', 'impressions before this event time')
  .addOption(reportOption)
  .addOption(jsonOption)
  .addHelpText(
    'after',
    `
Examples:
  millrace replay examples/simulated/job.yaml --against other.yaml --from 2026-03-02T08:00:00Z
  millrace replay examples/simulated/job.yaml --sync 0s,60s,1h,frozen`,
  )
  .action(async (job, options) =>
    (await import('../topology/replay-command.ts')).replayCommand(context, { job, ...options }),
  )

program
  .command('score')
  .description('score rows with the newest model of a model topic')
  .requiredOption('--from <bus>', 'folder of the file log')
  .requiredOption('--input <file>', 'rows as NDJSON, fields as in the impressions')
  .requiredOption('--output <file>', 'the same rows with scores')
  .option('--topic <topic>', 'the model topic', 'model')
  .option('--model <id>', 'which model, when the topic has several')
  .option(
    '--time-field <field>',
    'event time of a row: Unix ms, or ISO 8601 with a zone',
    'event_time',
  )
  .addOption(publicKeyOption)
  .addOption(jsonOption)
  .addHelpText(
    'after',
    '\nExample:\n  millrace score --from .millrace/simulated/bus --input rows.ndjson --output scores.ndjson',
  )
  .action(async (options) =>
    (await import('../topology/score-command.ts')).scoreCommand(context, options),
  )

program
  .command('serve')
  .description('answer POST /score with the newest model of a model topic')
  .option('--from <bus>', 'folder of the file log')
  .addOption(
    new Option('--job <file>', 'job file whose bus and model are followed').conflicts('from'),
  )
  .option('--topic <topic>', 'the model topic (default: the one of the job, or "model")')
  .option('--model <id>', 'which model (default: the one of the job, or the first on the topic)')
  .addOption(publicKeyOption)
  .option('--shadow-topic <topic>', 'also score with the model of this topic, beside the answers')
  .option('--shadow-model <id>', 'also score with this model')
  .option('--shadow-version <n>', 'also score with this version, and stay there', positive)
  .option('--shadow-share <share>', 'of the requests that are scored twice', fraction, 1)
  .option('--host <address>', 'address to bind', '127.0.0.1')
  .option('--port <n>', 'port; 0 takes a free one', whole, 8501)
  .option('--token-env <name>', 'environment variable with a bearer token that clients must send')
  .addOption(new Option('--token-file <file>', 'file with that token').conflicts('tokenEnv'))
  .addOption(
    new Option('--engine <engine>', 'what computes the scores')
      .choices(ENGINE_PREFERENCES)
      .default('auto'),
  )
  .option(
    '--time-field <field>',
    'event time of a row: Unix ms, or ISO 8601 with a zone',
    'event_time',
  )
  .option('--max-rows <n>', 'rows of one request', positive, 1000)
  .option('--max-body-bytes <n>', 'bytes of one request', positive, 1_048_576)
  .option('--request-timeout-ms <n>', 'longest time for a request to arrive', positive, 10_000)
  .option('--drain-ms <n>', 'longest wait for requests under way at the end', whole, 10_000)
  .addOption(
    new Option('--log <level>', 'lowest level that is logged')
      .choices(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
      .default('info'),
  )
  .addHelpText(
    'after',
    `
Examples:
  millrace serve --from .millrace/simulated/bus
  millrace serve --job examples/kafka/job.yaml --host 0.0.0.0 --token-env SCORER_TOKEN
  millrace serve --from .millrace/simulated/bus --shadow-version 1 --shadow-share 0.1
  curl -H 'content-type: application/json' http://127.0.0.1:8501/score \\
    -d '{"rows": [{"user_id": "u1", "item_id": "i1", "event_time": 1772431200000}]}'`,
  )
  .action(async (options) =>
    (await import('../topology/serve-command.ts')).serveCommand(context, options),
  )

program
  .command('check <job>')
  .description('check a job file, its schemas and what must fit between them')
  .addOption(jsonOption)
  .addHelpText('after', '\nExample:\n  millrace check examples/simulated/job.yaml')
  .action(async (job) => (await import('../topology/check-command.ts')).checkCommand(context, job))

program
  .command('describe <job>')
  .description('show the wiring of a job')
  .addOption(new Option('--format <format>').choices(['text', 'mermaid']).default('text'))
  .addOption(jsonOption)
  .addHelpText(
    'after',
    '\nExample:\n  millrace describe examples/simulated/job.yaml --format mermaid',
  )
  .action(async (job, options) =>
    (await import('../topology/describe.ts')).describeCommand(context, { job, ...options }),
  )

program
  .command('doctor [job]')
  .description(
    'say which engine this machine gets and why; with a job, look at its bus, clocks, schemas, ids and windows',
  )
  .addOption(jsonOption)
  .addHelpText('after', '\nExamples:\n  millrace doctor\n  millrace doctor shop/job.yaml')
  .action(async (job) =>
    (await import('../topology/doctor-command.ts')).doctorCommand(context, job),
  )

addSnapshotCommand(program, context)
addCompletionCommand(program, context)
addReferenceCommand(program, context)

/** Says on standard error what was thrown; the exit code for it. Commander has said what it threw. */
function explain(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2
  const remedy = thrown instanceof MillraceError ? thrown.remedy : undefined
  const more = remedy === undefined ? '' : `  ${remedy}\n`
  process.stderr.write(`millrace: ${messageOf(thrown)}\n${more}`)
  if (!(thrown instanceof MillraceError) && thrown instanceof Error) {
    process.stderr.write(`${thrown.stack ?? ''}\n`)
  }
  return exitCodeOf(thrown)
}

try {
  await program.parseAsync()
} catch (thrown) {
  process.exitCode = explain(systemError(thrown) ?? thrown)
}

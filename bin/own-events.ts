/** @file The commands for one's own events: a job from a sample, events onto its bus. */

import type { Command } from 'commander'
import type { CommandContext } from '../topology/command-context.ts'
import { jsonOption, positive } from './options.ts'

/** Commander asks for the option when nothing was collected; a default of [] would count as something. */
function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

const INPUT =
  'file of events as NDJSON; KIND=FILE where all its rows are of one kind; may be repeated'

export function addOwnEventsCommands(program: Command, context: CommandContext): void {
  program
    .command('init')
    .description('write a job file and its schemas from a sample of events')
    .requiredOption('--input <file>', INPUT, collect)
    .option('--output <folder>', 'folder to write to', '.')
    .option('--name <name>', 'name of the job and its model')
    .option('--kind-field <field>', 'field that says the kind of a row; guessed unless given')
    .option(
      '--anchor <kind>',
      'the kind that opens samples, such as view, or none; guessed unless given',
    )
    .option('--brokers <list>', 'host:port,... of a Kafka bus; without it, files in a folder')
    .option('--rows <n>', 'rows that are read of each file', positive, 100_000)
    .option('--force', 'write over files that are there')
    .addOption(jsonOption)
    .addHelpText(
      'after',
      `
Examples:
  millrace init --input events.ndjson --output shop --name shop
  millrace init --input view=views.ndjson --input purchase=orders.ndjson --brokers broker:9092`,
    )
    .action(async (options) =>
      (await import('../topology/init-command.ts')).initCommand(context, options),
    )

  program
    .command('import <job>')
    .description('append events from NDJSON files to the bus of a job')
    .requiredOption('--input <file>', INPUT, collect)
    .option('--kind-field <field>', 'field that says the kind of a row; guessed unless given')
    .addOption(jsonOption)
    .addHelpText(
      'after',
      `
Examples:
  millrace import shop/job.yaml --input events.ndjson
  millrace import shop/job.yaml --input view=views.ndjson --input purchase=orders.ndjson`,
    )
    .action(async (job, options) =>
      (await import('../topology/import-command.ts')).importCommand(context, { job, ...options }),
    )
}

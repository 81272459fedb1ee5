/** @file The commands that learn from data sets: KuaiRand, and the comparison of every model and balancer. */

import { type Command, Option } from 'commander'
import type { CommandContext } from '../topology/command-context.ts'
import { jsonOption, reportOption, whole } from './options.ts'

export function addDataSetCommands(program: Command, context: CommandContext): void {
  program
    .command('kuairand')
    .description('import KuaiRand-Pure and learn from it')
    .requiredOption('--log <file>', 'standard log (CSV, plain or gzip)')
    .requiredOption('--users <file>', 'user features')
    .requiredOption('--videos <file>', 'basic video features')
    .option('--job <file>', 'job file instead of examples/kuairand/job.yaml')
    .addOption(reportOption)
    .addOption(jsonOption)
    .addHelpText(
      'after',
      '\nExample:\n  millrace kuairand --log log.csv.gz --users users.csv.gz --videos videos.csv.gz',
    )
    .action(async (options) =>
      (await import('../topology/kuairand-command.ts')).kuairandCommand(context, options),
    )

  program
    .command('compare')
    .description('train every model and every balancer on the same samples and write a leaderboard')
    .addOption(
      new Option('--data <set>', 'what to learn from')
        .choices(['kuairand', 'simulated', 'both'])
        .default('both'),
    )
    .option('--log <file>', 'standard log of KuaiRand-Pure (CSV, plain or gzip)')
    .option('--users <file>', 'its user features')
    .option('--videos <file>', 'its basic video features')
    .option('--impressions <n>', 'length of the simulated stream', whole, 200_000)
    .option('--samples <n>', 'cut each stream to about so many samples', whole)
    .option('--only <pattern>', 'regular expression on group/name, such as backbones/ or pcgrad')
    .option('--output <file>', 'the page to write', 'docs/leaderboard.md')
    .addOption(jsonOption)
    .addHelpText(
      'after',
      '\nExamples:\n  millrace compare --data simulated --samples 20000\n' +
        '  millrace compare --data kuairand --log log.csv.gz --users users.csv.gz --videos videos.csv.gz',
    )
    .action(async (options) =>
      (await import('../topology/compare-command.ts')).compareCommand(context, options),
    )
}

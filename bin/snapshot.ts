/** @file The command line of `millrace snapshot`. */

import { type Command, InvalidArgumentError, Option } from 'commander'
import type { CommandContext } from '../topology/command-context.ts'
import type { SnapshotAction, SnapshotOptions } from '../topology/snapshot-command.ts'
import { jsonOption } from './options.ts'

/** Adds the command and its actions. */
export function addSnapshotCommand(program: Command, context: CommandContext): void {
  const snapshot = program
    .command('snapshot')
    .description('look at, check, pin, roll back and export the versions on a model topic')
    .addHelpText(
      'after',
      `
Examples:
  millrace snapshot list --from .millrace/simulated/bus
  millrace snapshot diff 3 7 --from .millrace/simulated/bus
  millrace snapshot rollback 6 --from .millrace/simulated/bus --reason 'likes look wrong'
  millrace snapshot export --from .millrace/simulated/bus --format onnx --output model.onnx`,
    )
  const run = async (options: SnapshotOptions, action: SnapshotAction): Promise<void> =>
    (await import('../topology/snapshot-command.ts')).snapshotCommand(context, options, action)
  const add = (name: string, description: string, example = ''): Command => {
    const line = `millrace snapshot ${name.split(' ')[0]} ${example}--from .millrace/simulated/bus`
    return withSource(snapshot.command(name).description(description))
      .addOption(jsonOption)
      .addHelpText('after', `\nExample:\n  ${line}`)
  }

  add('list', 'every version, oldest first').action((options) => run(options, { kind: 'list' }))
  add('show <version>', 'what is in a version, as JSON', '7 ').action((version, options) =>
    run(options, { kind: 'show', version: versionOf(version) }),
  )
  add('diff <from> <to>', 'what changed between two versions, as JSON', '3 7 ').action(
    (from, to, options) => run(options, { kind: 'diff', from: versionOf(from), to: versionOf(to) }),
  )
  add('verify', 'load every version as a scorer would: hashes, chain, signatures, probes').action(
    (options) => run(options, { kind: 'verify' }),
  )
  withKey(add('pin [version]', 'keep all consumers at a version', '6 '))
    .option('--release', 'let them follow the newest again')
    .action((version, options) => {
      if ((version === undefined) === (options.release !== true)) {
        throw new InvalidArgumentError('give a version, or --release')
      }
      return run(options, { kind: 'pin', version: version && versionOf(version) })
    })
  withKey(
    add('rollback <version>', 'withdraw every later version for good and pin this one', '6 '),
  ).action((version, options) => run(options, { kind: 'rollback', version: versionOf(version) }))
  const formats = '--format onnx --output model.onnx '
  add('export [version]', 'write a version, the newest unless given, for other programs', formats)
    .addOption(
      new Option('--format <format>', 'safetensors: everything; onnx: the forward pass')
        .choices(['safetensors', 'onnx'])
        .makeOptionMandatory(),
    )
    .requiredOption('--output <file>', 'file to write')
    .action((version, options) =>
      run(options, { kind: 'export', ...options, version: version && versionOf(version) }),
    )
}

function withSource(command: Command): Command {
  return command
    .option('--from <bus>', 'folder of the file log')
    .addOption(
      new Option('--job <file>', 'job file whose bus and model topic are used').conflicts('from'),
    )
    .option('--topic <topic>', 'the model topic (default: the one of the job, or "model")')
    .option('--model <id>', 'which model (default: the one of the job, or the first on the topic)')
    .option('--public-key <file>', 'PEM file with public keys: check signatures')
}

function withKey(command: Command): Command {
  return command
    .option('--reason <text>', 'why, kept with the decision')
    .option('--signing-key-env <name>', 'environment variable with the key that signs the decision')
    .addOption(
      new Option('--signing-key-file <file>', 'file with that key').conflicts('signingKeyEnv'),
    )
}

function versionOf(text: string): number {
  const version = Number(text)
  if (Number.isInteger(version) && version > 0) return version
  throw new InvalidArgumentError(`${JSON.stringify(text)} is no version number.`)
}

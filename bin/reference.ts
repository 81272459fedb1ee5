/** @file Every command as text, for docs/command-line.md: written from the commands themselves, so that it cannot lag behind. */

import type { Command } from 'commander'
import type { CommandContext } from '../topology/command-context.ts'
import { EXIT_MEANINGS } from '../topology/exit-codes.ts'

/** A hidden command: scripts/write-docs.mjs calls it. */
export function addReferenceCommand(program: Command, context: CommandContext): void {
  program
    .command('reference', { hidden: true })
    .description('print the reference of all commands as Markdown')
    .action(() => context.print(reference(program)))
}

function reference(program: Command): string {
  const codes = EXIT_MEANINGS.map(([code, meaning]) => `| ${code} | ${meaning} |`)
  return [
    optionTable('Options of every command', program),
    ...leavesOf(program).map(({ path, command }) => section(path, command)),
    `## Exit codes\n\n| code | meaning |\n|---|---|\n${codes.join('\n')}`,
  ].join('\n\n')
}

/** The commands that do something, in the order of the help. */
function leavesOf(
  command: Command,
  path: readonly string[] = [],
): { path: readonly string[]; command: Command }[] {
  return command.commands
    .filter((one) => !['help', 'reference'].includes(one.name()))
    .flatMap((one) => {
      const at = [...path, one.name()]
      return one.commands.length > 0 ? leavesOf(one, at) : [{ path: at, command: one }]
    })
}

function section(path: readonly string[], command: Command): string {
  const usage = command.usage().replace('[options] ', '').replace('[options]', '').trim()
  const examples = examplesOf(command)
  return [
    `## millrace ${path.join(' ')}`,
    `${sentence(command.description())}`,
    `\`millrace ${[...path, usage].join(' ').trim()}\``,
    ...(command.options.length > 0 ? [optionTable(undefined, command)] : []),
    ...(examples === '' ? [] : [`Examples:\n\n\`\`\`text format\n${examples}\n\`\`\``]),
  ].join('\n\n')
}

function optionTable(title: string | undefined, command: Command): string {
  const rows = command.options.map(
    ({ flags, description, defaultValue, argChoices, mandatory }) => {
      const choices = argChoices === undefined ? '' : ` One of ${argChoices.join(', ')}.`
      const shown = defaultShown(defaultValue, mandatory)
      return `| \`${flags.replaceAll('|', '\\|')}\` | ${description.replaceAll('|', '\\|')}${choices} | ${shown} |`
    },
  )
  const head = title === undefined ? '' : `## ${title}\n\n`
  return `${head}| option | meaning | default |\n|---|---|---|\n${rows.join('\n')}`
}

function defaultShown(value: unknown, mandatory: boolean): string {
  if (mandatory) return 'required'
  if (value === undefined || value === false || (Array.isArray(value) && value.length === 0))
    return '-'
  return `\`${String(value)}\``
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}

/** What follows "Example:" in the help. */
function examplesOf(command: Command): string {
  let help = ''
  command.configureOutput({ writeOut: (text) => (help += text) })
  command.outputHelp()
  const [, examples = ''] = /\nExamples?:\n([\s\S]*)$/.exec(help) ?? []
  return examples
    .split('\n')
    .map((line) => line.replace(/^ {2}/, ''))
    .join('\n')
    .trim()
}

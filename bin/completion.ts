/** @file `millrace completion SHELL`: a completion script, made from the commands and options that there are. */

import { Argument, type Command } from 'commander'
import type { CommandContext } from '../topology/command-context.ts'

/** What can be completed after one command. */
interface Completed {
  readonly path: readonly string[]
  readonly description: string
  readonly commands: readonly Command[]
  readonly options: readonly { readonly name: string; readonly description: string }[]
}

/** Every command with its path, the program itself first. */
export function commandsOf(command: Command, path: readonly string[] = []): Completed[] {
  const commands = command.commands.filter((one) => one.name() !== 'help')
  const options = command.options.flatMap(({ long, description }) =>
    long == null ? [] : [{ name: long, description }],
  )
  const own = { path, description: command.description(), commands, options }
  return [own, ...commands.flatMap((one) => commandsOf(one, [...path, one.name()]))]
}

export function addCompletionCommand(program: Command, context: CommandContext): void {
  program
    .command('completion')
    .description('print a script that completes commands and options in your shell')
    .addArgument(new Argument('<shell>', 'your shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      `
Examples:
  source <(millrace completion bash)                                   # in ~/.bashrc
  source <(millrace completion zsh)                                    # in ~/.zshrc
  millrace completion fish > ~/.config/fish/completions/millrace.fish`,
    )
    .action((shell: keyof typeof SCRIPTS) => context.print(SCRIPTS[shell](commandsOf(program))))
}

const SCRIPTS = { bash, zsh, fish }

/** Words after a path: its commands, then its options. */
function wordsOf({ commands, options }: Completed): string {
  return [...commands.map((one) => one.name()), ...options.map(({ name }) => name)].join(' ')
}

function bash(all: readonly Completed[]): string {
  const cases = all.map((one) => `    '${one.path.join(' ')}') words='${wordsOf(one)}' ;;`)
  return `# Completion of millrace for bash.
_millrace() {
  local word path='' words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] && continue
    case "\${path:+$path }$word" in
      ${commandPaths(all)}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _millrace millrace`
}

/** Zsh runs bash's function by its own compatibility module. */
function zsh(all: readonly Completed[]): string {
  return `# Completion of millrace for zsh.
autoload -U +X compinit && compinit -u
autoload -U +X bashcompinit && bashcompinit
${bash(all).split('\n').slice(1).join('\n')}`
}

function fish(all: readonly Completed[]): string {
  const lines = all.flatMap((one) => {
    const seen = one.path.map((word) => `__fish_seen_subcommand_from ${word}`)
    const next = one.commands.map((command) => command.name())
    const none = next.length > 0 ? [`not __fish_seen_subcommand_from ${next.join(' ')}`] : []
    const when = [...seen, ...none].join('; and ')
    const only = when === '' ? '' : ` -n '${when}'`
    return [
      ...one.commands.map(
        (command) =>
          `complete -c millrace${only} -a ${command.name()} -d '${plain(command.description())}'`,
      ),
      ...one.options.map(
        ({ name, description }) =>
          `complete -c millrace${only} -l ${name.slice(2)} -d '${plain(description)}'`,
      ),
    ]
  })
  return ['# Completion of millrace for fish.', ...lines].join('\n')
}

function commandPaths(all: readonly Completed[]): string {
  return all
    .filter(({ path }) => path.length > 0)
    .map(({ path }) => `'${path.join(' ')}'`)
    .join(' | ')
}

function plain(text: string): string {
  return text.replaceAll("'", "\\'")
}

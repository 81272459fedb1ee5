/** @file One line of progress for commands that take longer than two seconds: on a terminal redrawn, without one every ten seconds. */

import type { CommandContext } from './command-context.ts'

const FIRST_MS = 2_000
const TERMINAL_MS = 250
const PLAIN_MS = 10_000

/** Silent until two seconds have passed. */
export class Waiting {
  readonly #context: Pick<CommandContext, 'clock' | 'terminal'>
  #next: number
  #drawn = false

  constructor(context: Pick<CommandContext, 'clock' | 'terminal'>) {
    this.#context = context
    this.#next = context.clock.now() + FIRST_MS
  }

  /** Shows the text when it is time; it is not made otherwise. */
  show(text: () => string): void {
    const now = this.#context.clock.now()
    if (now < this.#next) return
    const { terminal } = this.#context
    const onTerminal = terminal.isTTY === true
    this.#next = now + (onTerminal ? TERMINAL_MS : PLAIN_MS)
    terminal.write(onTerminal ? `\r\u001b[K${text()}` : `${text()}\n`)
    this.#drawn = onTerminal
  }

  /** Takes the line away. */
  finish(): void {
    if (this.#drawn) this.#context.terminal.write('\r\u001b[K')
    this.#drawn = false
  }
}

/** Does the work with a line of progress that is gone when it ends, however it ends. */
export async function withProgress<Result>(
  context: Pick<CommandContext, 'clock' | 'terminal'>,
  work: (waiting: Waiting) => Promise<Result>,
): Promise<Result> {
  const waiting = new Waiting(context)
  try {
    return await work(waiting)
  } finally {
    waiting.finish()
  }
}

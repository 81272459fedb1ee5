/**
 * @file A peer in another process that takes its turn when asked: a line `round` goes in, a line of JSON comes back. What it
 * prints to standard error is shown as it comes.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { MillraceError } from '../src/errors.ts'

export class PeerProcess {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterableIterator<string>
  readonly #name: string

  /** Starts the program; its own set-up is not part of any round. */
  constructor(program: string, args: readonly string[], folder: string) {
    this.#name = program
    this.#child = spawn(program, args, { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
    const output = this.#child.stdout
    if (output === null) throw new MillraceError('IO', `${program} has no output`)
    this.#lines = createInterface({ input: output })[Symbol.asyncIterator]()
  }

  /** Asks for one line with `request` and waits for the answer. IO error when the peer ended instead. */
  async ask<Answer>(request: string): Promise<Answer> {
    this.#child.stdin?.write(`${request}\n`)
    const line = await this.#lines.next()
    if (line.done === true) {
      throw new MillraceError('IO', `${this.#name} ended without an answer to "${request}"`)
    }
    return JSON.parse(line.value) as Answer
  }

  /** Closes its input, which tells it to end, and waits until it has. */
  async close(): Promise<void> {
    const gone = this.#child.exitCode === null ? once(this.#child, 'exit') : undefined
    this.#child.stdin?.end()
    await gone
  }
}

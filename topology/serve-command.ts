/** @file `millrace serve`: answers requests to score with the newest model of a model topic. */

import { isIP } from 'node:net'
import { MillraceError } from '../src/errors.ts'
import { createLog, type LogLevel } from '../src/observe/log.ts'
import { readSecret, type Secret } from '../src/settings/environment.ts'
import type { EnginePreference } from '../src/tensors/engine-preferences.ts'
import type { CommandContext } from './command-context.ts'
import { startScorer } from './serve-scorer.ts'
import { openShadowSource, type ShadowOptions } from './serve-shadow.ts'
import { openModelSource, type SourceOptions } from './serve-source.ts'

export interface ServeCommand extends SourceOptions, ShadowOptions {
  readonly host: string
  readonly port: number
  readonly engine: EnginePreference
  /** Name of an environment variable with the bearer token, or a file with it. */
  readonly tokenEnv?: string
  readonly tokenFile?: string
  readonly timeField: string
  readonly maxRows: number
  readonly maxBodyBytes: number
  readonly requestTimeoutMs: number
  readonly drainMs: number
  readonly log: LogLevel
}

/** Runs until SIGTERM or SIGINT, then drains; a second signal does not wait. */
export async function serveCommand(context: CommandContext, command: ServeCommand): Promise<void> {
  const { clock, environment } = context
  const { host, port, engine } = command
  const lines = createLog({ level: command.log, clock })
  const token = tokenOf(command, environment)
  if (token === undefined && !isLoopback(host)) {
    lines.warn({ host }, 'everybody who reaches this address may score: no token was given')
  }
  const source = await openModelSource(command, environment)
  const shadow = await openShadowSource(command, environment).catch(async (thrown: unknown) => {
    await source.log.close()
    throw thrown
  })
  const scorer = await startScorer({
    source,
    shadow,
    engine,
    clock,
    lines,
    limits: command,
    token,
    host,
    port,
  })
  let stopping = false
  const stop = (): void => {
    if (stopping) process.exit(130)
    stopping = true
    lines.info({}, 'draining')
    scorer.stop()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  try {
    await scorer.ended
    lines.info({}, 'stopped')
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

function tokenOf(
  { tokenEnv, tokenFile }: ServeCommand,
  environment: CommandContext['environment'],
): Secret | undefined {
  if (tokenEnv === undefined && tokenFile === undefined) return undefined
  const reference =
    tokenFile === undefined ? { from_env: tokenEnv ?? '' } : { from_file: tokenFile }
  const token = readSecret(reference, environment)
  if (/^\S+$/.test(token.reveal())) return token
  throw new MillraceError('BAD_SETTINGS', 'the bearer token is empty or has white space in it', {
    remedy: 'give at least one printable character, for example the output of openssl rand -hex 32',
  })
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

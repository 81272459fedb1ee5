/** @file The built command line as a process of its own. */

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const SCRIPT = resolve('dist/bin/millrace.js')

/** How a process ended, and what it said. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A running command. */
export interface Running {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
}

/** How a command is started. */
export interface StartOptions {
  readonly cwd?: string | undefined
  /** Module to load before the program. */
  readonly preload?: string
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts `millrace ...`; `npm run build` must have been run. */
export function start(args: readonly string[], options: StartOptions = {}): Running {
  const { cwd = '.', preload, environment = {} } = options
  if (!existsSync(SCRIPT)) throw new Error(`${SCRIPT} is missing: run npm run build first`)
  const before = preload === undefined ? [] : ['--import', pathToFileURL(resolve(preload)).href]
  const child = spawn(process.execPath, [...before, SCRIPT, ...args], {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => {
    stdout += String(data)
  })
  child.stderr.on('data', (data) => {
    stderr += String(data)
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  return { process: child, ended }
}

/** Runs a command to its end. */
export function run(args: readonly string[], cwd?: string): Promise<Ended> {
  return start(args, { cwd }).ended
}

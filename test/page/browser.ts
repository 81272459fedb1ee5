/** @file The system's Chromium, fresh and quiet: no profile, no requests of its own. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'

const PROGRAM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => spawnSync(path, ['--version']).status === 0,
)

/** Whether there is a browser; CI must have one. */
export const hasBrowser = PROGRAM !== undefined

if (!hasBrowser)
  console.warn('CHROMIUM IS ABSENT (Debian package chromium): the page is not tested')

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A page and what went wrong on it. */
export interface WatchedPage {
  readonly page: Page
  /** Errors of scripts and of the console, as they came. */
  readonly errors: string[]
  /** Every address that was asked for. */
  readonly requests: string[]
  close(): Promise<void>
}

/** Opens an empty page in a new profile. */
export async function openBrowser(): Promise<WatchedPage> {
  if (PROGRAM === undefined) throw new Error('there is no browser')
  const profile = mkdtempSync(join(tmpdir(), 'millrace-browser-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: PROGRAM,
    args: FLAGS,
    viewport: { width: 1360, height: 900 },
  })
  const page = await context.newPage()
  const errors: string[] = []
  const requests: string[] = []
  page.on('pageerror', (error) => errors.push(error.stack ?? error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text())
  })
  page.on('request', (request) => requests.push(request.url()))
  return {
    page,
    errors,
    requests,
    close: async () => {
      await context.close()
      rmSync(profile, { recursive: true, force: true })
    },
  }
}

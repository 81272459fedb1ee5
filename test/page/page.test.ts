/** @file The page in a real browser, on a real learner: it loads, follows, survives a restart, and is fit for everybody. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Running, start } from '../topology/cli.ts'
import { temporaryFolder } from '../topology/temporary-job.ts'
import { hasBrowser, openBrowser, type WatchedPage } from './browser.ts'

const PORT = 19_470
const URL = `http://127.0.0.1:${PORT}`
/** Where pictures go, when they are asked for: npm run screenshots. */
const PICTURES = process.env.MILLRACE_SCREENSHOTS
/** Longest wait for something that a busy machine does late, ms. */
const LONG = 90_000

const folder = temporaryFolder(afterAll)
const job = `${folder}/job.yaml`
let browser: WatchedPage
let learner: Running
let producer: Running

/** The number in a cell of the tasks table or a tile: `1,234` is 1234. */
async function samplesShown(page: Page): Promise<number> {
  const text = await page.locator('#tasks tbody tr td:last-child').first().textContent()
  return Number((text ?? '').replaceAll(/\D/g, ''))
}

async function pointsIn(span: string): Promise<number> {
  const response = await fetch(`${URL}/history/${span}`)
  return ((await response.json()) as { times: unknown[] }).times.length
}

const isAlive = (): Promise<boolean> =>
  fetch(`${URL}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  )

const untilSamples = (least: number): Promise<unknown> =>
  expect.poll(() => samplesShown(browser.page), { timeout: LONG }).toBeGreaterThan(least)

test('there is a browser in CI', () => {
  if (process.env.CI) expect(hasBrowser).toBe(true)
})

describe.runIf(hasBrowser)('the page of a running learner', () => {
  beforeAll(async () => {
    const text = readFileSync('examples/simulated/job.yaml', 'utf8')
      .replace('path: .millrace/simulated/bus', `path: ${folder}/bus`)
      .replaceAll('../../schemas', join(process.cwd(), 'schemas'))
      .replace('every_samples: 10000', 'every_samples: 2000')
    writeFileSync(
      job,
      `${text}\nobserve: { http: { port: ${PORT} }, examine_every_steps: 16, log: warn }\n`,
    )
    producer = start(['produce', job, '--per-second', '2500'])
    learner = start(['run', job], { cwd: folder })
    browser = await openBrowser()
    await vi.waitUntil(isAlive, { timeout: LONG, interval: 100 })
    await browser.page.goto(URL)
  }, 2 * LONG)

  afterAll(async () => {
    producer?.process.kill('SIGTERM')
    learner?.process.kill('SIGTERM')
    await browser?.close()
    await learner?.ended
  }, LONG)

  test(
    'says whether the model learns and is fresh, and shows every part of it',
    async () => {
      const { page } = browser
      await untilSamples(4000)
      await expect
        .poll(() => page.locator('#versions tbody tr').count(), { timeout: LONG })
        .toBeGreaterThan(0)
      expect(await page.locator('#verdict-title').textContent()).toMatch(
        /It learns|It has just begun/,
      )
      expect(await page.title()).toContain('Millrace')
      for (const [table, rows] of [
        ['tasks', 3],
        ['events', 4],
        ['cosines', 3],
        ['gates', 3],
        ['layers', 8],
        ['memory', 1],
        ['drift', 11],
      ] as const) {
        await expect
          .poll(() => page.locator(`#${table} tbody tr`).count(), { timeout: LONG, message: table })
          .toBe(rows)
      }
      expect(await page.locator('canvas').count()).toBe(17)
      const auc = page.locator('#tasks tbody tr').first().locator('td')
      for (const column of [0, 1]) {
        await expect
          .poll(() => auc.nth(column).textContent(), { timeout: LONG, message: `AUC ${column}` })
          .toMatch(/^0\.\d{4}$/)
      }
      const bad = await page.locator('#events .bad').count()
      expect(bad, 'records that are not accounted for').toBe(0)
    },
    LONG,
  )

  test(
    'follows what happens without a reload',
    async () => {
      const before = await samplesShown(browser.page)
      await untilSamples(before)
    },
    LONG,
  )

  test(
    'has its past again after a reload',
    async () => {
      const { page } = browser
      await expect.poll(() => pointsIn('10m'), { timeout: LONG }).toBeGreaterThan(8)
      const before = await pointsIn('10m')
      await page.reload()
      await untilSamples(0)
      const label = page.locator('#quality-charts .plot').first()
      await expect
        .poll(() => label.getAttribute('aria-label'))
        .toMatch(/click 0\.\d{4}, at the left.*click at opening (0\.\d{4}|–), at the left/)
      expect(await pointsIn('10m')).toBeGreaterThanOrEqual(before)
      await page.getByLabel('2 hours').check()
      await expect.poll(() => pointsIn('2h')).toBeGreaterThan(0)
      await page.getByLabel('10 minutes').check()
    },
    LONG,
  )

  test(
    'can be read with the keyboard alone, and by axe it has no fault, in any scheme and on a phone',
    async () => {
      const { page } = browser
      const chart = page.locator('#quality-charts .plot').first()
      await chart.focus()
      await page.keyboard.press('ArrowLeft')
      const spoken = page.locator('#quality-charts .spoken').first()
      await expect.poll(() => spoken.textContent()).toMatch(/^\d\d:\d\d:\d\d: click /)
      const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8')
      for (const [scheme, width] of [
        ['light', 1360],
        ['dark', 1360],
        ['light', 390],
      ] as const) {
        await page.setViewportSize({ width, height: 900 })
        await page.emulateMedia({ colorScheme: scheme })
        await page.evaluate(axe)
        const faults = await page.evaluate(async () => {
          const { axe } = globalThis as unknown as { axe: { run(): Promise<AxeResult> } }
          const { violations } = await axe.run()
          return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
        })
        expect(faults, `${scheme} at ${width}`).toEqual([])
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
        expect(overflow, `${scheme} at ${width}`).toBeLessThanOrEqual(0)
      }
    },
    LONG,
  )

  test.runIf(PICTURES !== undefined)(
    'is photographed',
    async () => {
      const pictures = PICTURES ?? ''
      mkdirSync(pictures, { recursive: true })
      const { page } = browser
      await expect.poll(() => pointsIn('10m'), { timeout: 300_000 }).toBeGreaterThan(150)
      for (const [name, colorScheme, width, height] of [
        ['page-light', 'light', 1360, 1060],
        ['page-dark', 'dark', 1360, 1060],
        ['page-phone', 'light', 390, 844],
      ] as const) {
        await page.setViewportSize({ width, height })
        await page.emulateMedia({ colorScheme })
        await page.reload()
        await untilSamples(0)
        await page.waitForTimeout(2500) // the charts are drawn with the next status
        await page.screenshot({ path: `${pictures}/${name}.png` })
        expect(existsSync(`${pictures}/${name}.png`)).toBe(true)
      }
    },
    400_000,
  )

  test('asked nobody but the learner, and nothing went wrong on it', () => {
    expect(browser.errors).toEqual([])
    expect(
      browser.requests.filter((url) => !url.startsWith(URL) && !url.startsWith('data:')),
    ).toEqual([])
  })

  test(
    'notices that the learner is gone, and goes on with the next one and its past',
    async () => {
      const { page } = browser
      await page.setViewportSize({ width: 1360, height: 900 })
      const before = await samplesShown(page)
      const points = await pointsIn('10m')
      learner.process.kill('SIGTERM')
      await learner.ended
      const title = page.locator('#verdict-title')
      await expect
        .poll(() => title.textContent(), { timeout: LONG })
        .toBe('No word from the learner')
      learner = start(['run', job], { cwd: folder })
      await expect.poll(() => title.textContent(), { timeout: LONG }).toMatch(/^It /)
      await untilSamples(before)
      expect(await pointsIn('10m')).toBeGreaterThanOrEqual(points)
      const others = browser.errors.filter(
        (error) => !error.includes('net::ERR_CONNECTION_REFUSED'),
      )
      expect(others.filter((error) => !error.includes('net::ERR_'))).toEqual([])
    },
    2 * LONG,
  )
})

interface AxeResult {
  readonly violations: readonly {
    readonly id: string
    readonly nodes: readonly { html: string }[]
  }[]
}

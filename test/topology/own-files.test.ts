/** @file From a file of one's own events to scores, by commands alone, as docs/tutorial.md says. */

import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { run } from './cli.ts'
import { temporaryFolder } from './temporary-job.ts'

const MAKER = resolve('examples/tutorial/make-events.mjs')

function made(views: number): string {
  const args = [MAKER, String(views)]
  return execFileSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1e8 })
}

async function ok(folder: string, ...args: string[]): Promise<string> {
  const ended = await run(args, folder)
  expect(ended, `${args.join(' ')}\n${ended.stderr}`).toMatchObject({ code: 0 })
  return ended.stdout
}

test('init, import, run and score lead from NDJSON to probabilities that know the users', async () => {
  const folder = temporaryFolder()
  writeFileSync(`${folder}/events.ndjson`, made(12_000))
  const written = await ok(
    folder,
    'init',
    '--input',
    'events.ndjson',
    '--output',
    'shop',
    '--name',
    'shop',
  )
  expect(written).toContain('sound. 2 tasks (cart, purchase)')
  const job = readFileSync(`${folder}/shop/job.yaml`, 'utf8')
  expect(job).toContain('key: [user_id, product_id], anchor: true')
  const imported = await ok(folder, 'import', 'shop/job.yaml', '--input', 'events.ndjson')
  expect(imported).toMatch(
    /^appended 12,000 view\nappended [\d,]+ cart\nappended [\d,]+ purchase\n$/,
  )
  await ok(folder, 'run', 'shop/job.yaml', '--exit', '--report', 'report.json')
  const report = JSON.parse(readFileSync(`${folder}/report.json`, 'utf8'))
  expect(report.accounting.view).toMatchObject({ in: 12_000, orphans: 0, dead_letters: 0, open: 0 })
  expect(report.accounting.cart.orphans).toBe(0)
  expect(report.tasks.cart.auc).toBeGreaterThan(0.6)
  const row = {
    event_time: Date.UTC(2026, 0, 6, 10),
    user_id: 'u1',
    product_id: 'p1',
    category: 'games',
    price: 12,
  }
  writeFileSync(`${folder}/rows.ndjson`, `${JSON.stringify(row)}\n`)
  await ok(
    folder,
    'score',
    '--from',
    '.millrace/shop/bus',
    '--input',
    'rows.ndjson',
    '--output',
    'scores.ndjson',
  )
  const scored = JSON.parse(readFileSync(`${folder}/scores.ndjson`, 'utf8'))
  expect(scored.scores.cart).toBeGreaterThan(0)
  expect(scored.scores.cart).toBeLessThan(1)
}, 120_000)

test('import names rows that do not fit, goes on with the others, and fails when none fits', async () => {
  const folder = temporaryFolder()
  const rows = made(300)
  writeFileSync(`${folder}/events.ndjson`, rows)
  await ok(folder, 'init', '--input', 'events.ndjson', '--output', 'shop')
  const wrong = { event_id: 'x', at: 'yesterday', type: 'view', user_id: 'u1', product_id: 'p1' }
  writeFileSync(`${folder}/more.ndjson`, `${rows}${JSON.stringify(wrong)}\n`)
  const text = await ok(folder, 'import', 'shop/job.yaml', '--input', 'more.ndjson')
  expect(text).toMatch(/left out 1 row\n {2}more\.ndjson, row \d+: at is no time in iso/)
  writeFileSync(`${folder}/wrong.ndjson`, `${JSON.stringify(wrong)}\n`)
  const failed = await run(['import', 'shop/job.yaml', '--input', 'view=wrong.ndjson'], folder)
  expect(failed.code).toBe(4)
  expect(failed.stderr).toContain('none of 1 rows could be imported')
}, 60_000)

test('init does not write over a job that is there', async () => {
  const folder = temporaryFolder()
  writeFileSync(`${folder}/events.ndjson`, made(300))
  await ok(folder, 'init', '--input', 'events.ndjson')
  const again = await run(['init', '--input', 'events.ndjson'], folder)
  expect(again.code).toBe(2)
  expect(again.stderr).toContain('--force')
  await ok(folder, 'init', '--input', 'events.ndjson', '--force')
}, 60_000)

/** @file What programs write into the pages is up to date: `npm run build && npm run docs` makes it so. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { jobSchema } from '../../src/settings/job-schema.ts'
import { run } from '../topology/cli.ts'

interface Scripts {
  partOf(page: string, name: string): string
  importArrows(reads: Record<string, string[]>): [from: string, to: string][]
  importPicture(reads: Record<string, string[]>): string
  jobFileTables(schema: unknown): string
  crashTable(result: unknown): string
  apiTables(): string
  metricsTables(): string
  READS: Record<string, string[]>
}

/** The scripts are JavaScript; their paths are not checked by the compiler. */
async function scripts(): Promise<Scripts> {
  const names = [
    'generated-part',
    'import-picture',
    'job-file-tables',
    'crash-table',
    'api-page',
    'metrics-tables',
  ]
  const paths = names.map((name) => `../../scripts/${name}.mjs`)
  const modules = await Promise.all(
    [...paths, '../../.dependency-cruiser.mjs'].map((path) => import(path)),
  )
  return Object.assign({}, ...modules) as Scripts
}

describe('the generated parts', () => {
  test('architecture.md shows the folder table that the checker enforces', async () => {
    const { importPicture, READS } = await scripts()
    expect(readFileSync('docs/architecture.md', 'utf8')).toContain('](images/folders.svg)')
    expect(readFileSync('docs/images/folders.svg', 'utf8')).toBe(importPicture(READS))
  })

  test('the picture leaves no folder and no import out', async () => {
    const { importArrows, importPicture, READS } = await scripts()
    const edges = importArrows(READS)
    const picture = importPicture(READS)
    for (const folder of Object.keys(READS)) expect(picture).toContain(`>${folder}</text>`)
    expect(picture.split('<path d="M').length - 2, 'arrows, and the head of all').toBe(edges.length)
    const below = (folder: string): Set<string> =>
      new Set(edges.flatMap(([from, to]) => (to === folder ? [from, ...below(from)] : [])))
    for (const [folder, reads] of Object.entries(READS)) {
      expect([...below(folder)], folder).toEqual(expect.arrayContaining(reads))
    }
  })

  test('job-file.md shows every setting of the schema', async () => {
    const { partOf, jobFileTables } = await scripts()
    const shown = partOf(readFileSync('docs/job-file.md', 'utf8'), 'settings')
    expect(shown).toBe(jobFileTables(z.toJSONSchema(jobSchema, { io: 'input' })))
  })

  test('command-line.md shows every command, as the commands say it themselves', async () => {
    const { partOf } = await scripts()
    const shown = partOf(readFileSync('docs/command-line.md', 'utf8'), 'commands')
    expect((await run(['reference'])).stdout.trimEnd()).toBe(shown)
  })

  test('semantics.md shows the crash table that was measured', async () => {
    const { partOf, crashTable } = await scripts()
    const measured = JSON.parse(readFileSync('bench/results/crash-table.json', 'utf8'))
    const shown = partOf(readFileSync('docs/semantics.md', 'utf8'), 'crashes')
    expect(shown).toBe(crashTable(measured))
  })

  test('api.md shows what the entries of the package export', async () => {
    const { partOf, apiTables } = await scripts()
    expect(partOf(readFileSync('docs/api.md', 'utf8'), 'names')).toBe(apiTables())
  })

  test('metrics.md shows every metric that there is', async () => {
    const { partOf, metricsTables } = await scripts()
    expect(partOf(readFileSync('docs/metrics.md', 'utf8'), 'metrics')).toBe(metricsTables())
  })

  test('a part that is not there is an error, not an empty part', async () => {
    const { partOf } = await scripts()
    expect(() => partOf('no marks', 'settings')).toThrow('no part')
  })
})

/** @file docs/api.md has the names that a program may import: a change there is a change of the public API, and of the changelog. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as millrace from '../../src/index.ts'
import * as serve from '../../topology/serve-entry.ts'

/** The rows of an entry's table: name and meaning. */
function rowsOf(entry: string, title: 'value' | 'type'): [name: string, meaning: string][] {
  const page = readFileSync('docs/api.md', 'utf8')
  const [, section = ''] = page.split(`## ${entry}\n`)
  const [, table = ''] = section.split(`| ${title} | kind | meaning |\n`)
  const [rows = ''] = table.split('\n\n')
  return [...rows.matchAll(/^\| `(\w+).*\| (.*) \|$/gm)].map(([, name = '', meaning = '']) => [
    name,
    meaning,
  ])
}

test.each([
  ['millrace', millrace],
  ['millrace/serve', serve],
])('%s exports the values of docs/api.md', (entry, exported) => {
  expect(Object.keys(exported).sort()).toEqual(rowsOf(entry, 'value').map(([name]) => name))
})

test('every name says what it is', () => {
  for (const entry of ['millrace', 'millrace/serve']) {
    const rows = [...rowsOf(entry, 'value'), ...rowsOf(entry, 'type')]
    expect(rows.length).toBeGreaterThan(15)
    expect(rows.filter(([, meaning]) => meaning === '').map(([name]) => name)).toEqual([])
  }
})

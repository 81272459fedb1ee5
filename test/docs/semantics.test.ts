/** @file The delivery contract: every row of its table names tests, and they are files with tests in them. */

import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const page = readFileSync('docs/semantics.md', 'utf8')
const section = page.slice(page.indexOf('## Failure, guarantee, test'), page.indexOf('### Counted'))
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(1)
  .map((line) => line.split(' | '))

test('the table of failures is found', () => {
  expect(rows.length).toBeGreaterThan(20)
})

test.each(rows.map((cells) => [cells[0]?.slice(2) ?? '', cells]))('%s', (_, cells) => {
  expect(cells).toHaveLength(3)
  const named = [...(cells[2] ?? '').matchAll(/`([^`]+)`/g)].map(([, file]) => file ?? '')
  expect(named.length).toBeGreaterThan(0)
  expect(named.some((file) => file.endsWith('.test.ts'))).toBe(true)
  for (const file of named) {
    expect(existsSync(file), file).toBe(true)
    if (!file.endsWith('.test.ts')) continue
    expect(readFileSync(file, 'utf8'), file).toMatch(/\b(test|it|describe)[(.]/)
  }
})

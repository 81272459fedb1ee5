import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readCsv } from '../../src/datasets/csv-table.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-csv-'))

async function read(content: string | Uint8Array) {
  const file = join(folder, 'table.csv')
  writeFileSync(file, content)
  const rows: (readonly string[])[] = []
  const table = { file, header: ['a', 'b'], source: 'Ask the author.' }
  const badRows = await readCsv(table, (cells) => {
    if (cells[0] === 'bad') return 'a is bad'
    rows.push([...cells])
    return undefined
  })
  return { rows, bad: badRows.map(({ line, reason }) => `${line}: ${reason}`) }
}

test('cells without line ends come back as they were written, quoted or not', async () => {
  const cell = fc.string({ maxLength: 8 }).map((text) => `_${text.replace(/[\r\n\uFEFF]/g, '')}`)
  const quote = (text: string) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(cell, cell), { maxLength: 20 }), async (rows) => {
      const text = rows.map((row) => `${row.map(quote).join(',')}\n`).join('')
      expect(await read(`a,b\n${text}`)).toEqual({ rows, bad: [] })
    }),
    { seed: 11, numRuns: 60 },
  )
})

test('a stray quote costs its own row only', async () => {
  const { rows, bad } = await read('a,b\n1,2\n3,"4\n5,6\n7,8"9\n"10","1,1"\n')
  expect(rows).toEqual([
    ['1', '2'],
    ['5', '6'],
    ['10', '1,1'],
  ])
  expect(bad).toEqual(['3: quotes that do not close', '5: quotes that do not close'])
})

test('line numbers count empty lines, which are no rows', async () => {
  expect(await read('a,b\r\n\r\n1,2\r\nbad,3\r\n1,2,3\r\n')).toEqual({
    rows: [['1', '2']],
    bad: ['4: a is bad', '5: 3 columns instead of 2'],
  })
})

test('a file larger than one chunk is read whole, also when its last line does not end', async () => {
  const lines = Array.from({ length: 30_000 }, (_, i) => `${i},é${i}`)
  const text = ['a,b', ...lines].join('\n')
  for (const content of [text, gzipSync(text)]) {
    const { rows, bad } = await read(content)
    expect(bad).toEqual([])
    expect(rows.length).toBe(30_000)
    expect(rows.at(-1)).toEqual(['29999', 'é29999'])
  }
})

test('a byte-order mark before the header is no part of it', async () => {
  expect((await read('\uFEFFa,b\n1,2\n')).rows).toEqual([['1', '2']])
})

test('a file cut off in the middle of gzip is an error that names it', async () => {
  const packed = gzipSync(Array.from({ length: 5_000 }, (_, i) => `${i * 7919},b\n`).join(''))
  await expect(read(packed.subarray(0, 400))).rejects.toMatchObject({
    message: expect.stringContaining('table.csv'),
    remedy: 'Ask the author.',
  })
})

test('a file without line ends is refused before it fills the memory', async () => {
  await expect(read('x'.repeat(3_000_000))).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringContaining('line 1 never ends'),
  })
})

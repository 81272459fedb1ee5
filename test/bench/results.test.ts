/** @file Results: what a figure comes to, how its line reads, what the guard flags, what the page shows. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Bench, Figure, Measured } from '../../bench/bench.ts'
import { chartOf } from '../../bench/charts.ts'
import { baselineOf, compareResults, missingFrom } from '../../bench/compare.ts'
import { benchSections, targetTable } from '../../bench/report.ts'
import { judged, lineOf, type Result, readResults, resultOf } from '../../bench/result.ts'
import { runBench } from '../../bench/run-bench.ts'

const faster: Figure = {
  label: 'events',
  unit: 'events/s',
  rounds: [900, 800, 1000],
  against: { name: 'peer', rounds: [300, 200, 100] },
  better: 'higher',
  target: 4,
}
const costlier: Figure = { ...faster, label: 'cost', unit: 'ms', better: 'lower', target: 1.12 }
const pause: Figure = {
  label: 'pause',
  unit: 'ms',
  rounds: [90, 110],
  better: 'lower',
  target: 100,
}

function resultWith(...figures: readonly Figure[]): Result {
  const machine = { processor: 'a core', cores: 2, memory_gib: 4, platform: 'linux x64' }
  const about = { name: 'join', summary: 'Joins.', command: 'npm run bench -- join' }
  const when = { measured_on: '2026-01-02', commit: 'abc', machine }
  const curve = {
    title: 'Rate by partitions',
    x: 'partitions',
    y: 'events/s',
    log: 'x' as const,
    lines: [{ name: 'ours', points: [[1, 10] as const, [4, 30] as const] }],
  }
  const floors = [{ label: 'reading', value: 7, unit: 'events/s' }]
  return resultOf({ figures, floors, curves: [curve] }, { ...about, ...when })
}

describe('a figure', () => {
  test('is the ratio of the medians of both sides', () => {
    expect(judged(faster)).toMatchObject({ reached: 4.5, met: true })
    expect(judged({ ...faster, target: 5 })).toMatchObject({ met: false })
  })

  test('is good when it is low where low is good', () => {
    expect(judged(costlier)).toMatchObject({ reached: 4.5, met: false })
    expect(judged(pause)).toMatchObject({ reached: 100, met: true })
  })

  test('reads as one line that ends with its target', () => {
    expect(lineOf('join', judged(faster), true)).toBe('join ratio 4.5 (target 4)')
    expect(lineOf('join', judged(costlier), false)).toBe(
      'join: cost ratio 4.5 (target at most 1.12)',
    )
    expect(lineOf('pause', judged(pause), true)).toBe('pause 100 ms (target at most 100)')
    const { target: _, ...free } = faster
    expect(lineOf('join', judged(free), true)).toBe('join ratio 4.5')
  })
})

describe('the guard', () => {
  const baseline = baselineOf([resultWith(faster, costlier, pause)])

  test('knows ratios only: a time belongs to one machine', () => {
    expect(Object.keys(baseline.join ?? {})).toEqual(['events', 'cost'])
  })

  test('holds at a loss of 15%, and flags more, whichever way is good', () => {
    const changed = (rounds: readonly number[]): boolean[] =>
      compareResults(baseline, [resultWith({ ...faster, rounds }, { ...costlier, rounds })]).map(
        ({ fell }) => fell,
      )
    expect(changed([900])).toEqual([false, false])
    expect(changed([766])).toEqual([false, false])
    expect(changed([764])).toEqual([true, false])
    expect(changed([1058])).toEqual([false, false])
    expect(changed([1060])).toEqual([false, true])
    expect(changed([Number.NaN])).toEqual([true, true])
  })

  test('notices a figure that is gone', () => {
    expect(missingFrom(baseline, [resultWith(faster)])).toEqual(['join: cost'])
    expect(missingFrom(baseline, [])).toEqual(['join: events', 'join: cost'])
  })
})

describe('the page', () => {
  test('has a row per target, met or not, and the machine and commit of each bench', () => {
    const results = [resultWith(faster, { ...pause, target: 50 })]
    const table = targetTable(results)
    expect(table).toContain(
      '| [join](#join) | events | at least 4 times | 4.5 times | yes | reading: 7 events/s | `npm run bench -- join` |',
    )
    expect(table).toContain('| [join](#join) | pause | at most 50 ms | 100 ms | **no** |  |')
    const sections = benchSections(results, 'nowhere')
    expect(sections).toContain('a core, 2 cores, 4 GiB, linux x64')
    expect(sections).toContain('commit abc')
    expect(sections).toContain('images/performance-join-rate-by-partitions.svg')
  })

  test('has the notes that people wrote on a bench', () => {
    const folder = mkdtempSync(join(tmpdir(), 'notes-'))
    writeFileSync(join(folder, 'join.md'), 'Half of it is decoding.\n')
    expect(benchSections([resultWith(faster)], folder)).toContain('Half of it is decoding.')
    rmSync(folder, { recursive: true })
  })

  test('a curve is drawn the same each time, with its axes and names', () => {
    const [curve] = resultWith(faster).curves
    if (curve === undefined) throw new Error('no curve')
    const svg = chartOf(curve)
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/)
    for (const text of ['partitions', 'events/s', 'ours']) expect(svg).toContain(text)
    expect(chartOf(curve)).toBe(svg)
  })
})

describe('runBench', () => {
  const folders = { results: '' }
  beforeEach(() => {
    folders.results = mkdtempSync(join(tmpdir(), 'results-'))
  })
  afterEach(() => rmSync(folders.results, { recursive: true, force: true }))

  function bench(measured: Measured): Bench {
    return { name: 'join', summary: 'Joins.', peers: ['streams'], run: async () => measured }
  }

  async function run(one: Bench, peer?: string): Promise<string[]> {
    const lines: string[] = []
    const { results } = folders
    await runBench({ bench: one, peer, rounds: 1, results, print: (line) => lines.push(line) })
    return lines
  }

  test('writes the result and prints the headline last', async () => {
    const lines = await run(bench({ figures: [faster, pause], facts: { events: 7 } }))
    expect(lines.at(-1)).toBe('join ratio 4.5 (target 4)')
    const [result] = readResults(folders.results)
    expect(result).toMatchObject({ name: 'join', command: 'npm run bench -- join --peer streams' })
    expect(result?.figures[0]).toMatchObject({ reached: 4.5, met: true })
    expect(result?.facts).toEqual({ events: 7 })
    expect(result?.machine.cores).toBeGreaterThan(0)
  })

  test('refuses a peer that the bench does not have, and a bench that measured nothing', async () => {
    await expect(run(bench({ figures: [faster] }), 'torch')).rejects.toThrow('no peer torch')
    await expect(run(bench({ figures: [] }))).rejects.toThrow('measured nothing')
  })

  test('what is no result file is not read', () => {
    mkdirSync(join(folders.results, 'sub'))
    writeFileSync(join(folders.results, 'notes.txt'), 'no result')
    expect(readResults(folders.results)).toEqual([])
  })
})

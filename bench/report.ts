/** @file The results as the generated parts of docs/performance.md: one table of all targets, then bench by bench. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Curve, Floor } from './bench.ts'
import { median } from './harness.ts'
import { type KeptFigure, type Result, shown } from './result.ts'

/** Where the pictures go, relative to the page. */
export const PICTURES = 'images'

/** The table of every figure that has a target. */
export function targetTable(results: readonly Result[]): string {
  const rows = results.flatMap(({ name, command, figures, floors }) =>
    figures
      .filter((figure) => figure.target !== undefined)
      .map((figure, index) => {
        const verdict = figure.met === true ? 'yes' : '**no**'
        const floor = index === 0 ? floors.map(floorOf).join('; ') : ''
        return `| [${name}](#${name}) | ${figure.label} | ${targetOf(figure)} | ${reachedOf(figure)} | ${verdict} | ${floor} | \`${command}\` |`
      }),
  )
  const head = '| bench | what | target | reached | met | floors beside it | measured by |'
  return [head, '|---|---|---|---|---|---|---|', ...rows].join('\n')
}

/** A section per bench. `notes`: the folder with what people wrote about a result, one file per bench. */
export function benchSections(results: readonly Result[], notes: string): string {
  return results.map((result) => section(result, notes)).join('\n\n')
}

/** File name of a curve's picture. */
export function pictureName(bench: string, { title }: Curve): string {
  const slug = title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
  return `performance-${bench}-${slug}.svg`
}

function section(result: Result, notes: string): string {
  const { name, summary, figures, floors, curves } = result
  const parts = [`### ${name}`, summary, figureTable(figures)]
  if (floors.length > 0) {
    const lines = floors.map((floor) => `- ${floorOf(floor)}`)
    parts.push(['Floors, measured in the same run:', '', ...lines].join('\n'))
  }
  for (const curve of curves) {
    parts.push(`![${curve.title}](${PICTURES}/${pictureName(name, curve)})`)
  }
  const note = join(notes, `${name}.md`)
  if (existsSync(note)) parts.push(readFileSync(note, 'utf8').trim())
  parts.push(provenance(result))
  return parts.join('\n\n')
}

function figureTable(figures: readonly KeptFigure[]): string {
  const rows = figures.map((figure) => {
    const { label, unit, rounds, against } = figure
    const other = against === undefined ? '' : `${shown(median(against.rounds))} (${against.name})`
    const target = figure.target === undefined ? '' : targetOf(figure)
    const ratio = against === undefined ? '' : reachedOf(figure)
    return `| ${label} | ${shown(median(rounds))} | ${other} | ${unit} | ${ratio} | ${target} |`
  })
  const head = ['| figure | median | beside | unit | ratio | target |', '|---|---|---|---|---|---|']
  return [...head, ...rows].join('\n')
}

function floorOf({ label, value, unit }: Floor): string {
  return `${label}: ${shown(value)} ${unit}`
}

function targetOf({ target, better, against, unit }: KeptFigure): string {
  const amount = shown(target ?? Number.NaN)
  return `${better === 'lower' ? 'at most' : 'at least'} ${amount}${against === undefined ? ` ${unit}` : ' times'}`
}

function reachedOf({ reached, against, unit }: KeptFigure): string {
  return against === undefined ? `${shown(reached)} ${unit}` : `${shown(reached)} times`
}

function provenance(result: Result): string {
  const { command, commit, measured_on, machine, versions, facts, seconds } = result
  const named = (values: Readonly<Record<string, string | number>>): string =>
    Object.entries(values)
      .map(([key, value]) => `${key} ${value}`)
      .join(', ')
  const size = facts === undefined || Object.keys(facts).length === 0 ? '' : ` ${named(facts)}.`
  const took = seconds === undefined ? '' : ` (took ${seconds} s)`
  return (
    `\`${command}\`${took}, ${measured_on}, commit ${commit}; ${machine.processor}, ${machine.cores} cores, ` +
    `${machine.memory_gib} GiB, ${machine.platform}; ${named(versions)}.${size}`
  )
}

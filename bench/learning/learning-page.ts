/** @file Results of experiments as tables of the documentation. */

import type { Machine } from '../machine.ts'
import type { Column, Experiment, Row } from './experiment.ts'

/** What an experiment leaves in bench/results/learning. */
export interface KeptExperiment {
  readonly name: string
  readonly question: string
  readonly command: string
  readonly measured_on: string
  readonly commit: string
  readonly machine: Machine
  readonly engine: string
  readonly node: string
  readonly rows: readonly Row[]
}

/** The page of an experiment that names none. */
export const LEARNING_PAGE = 'docs/learning.md'

export function resultFile(name: string): string {
  return `bench/results/learning/${name}.json`
}

/** The page with every table that has a result; a page without a place for one is an error. */
export function pageWith(
  page: string,
  experiments: readonly Experiment[],
  results: readonly KeptExperiment[],
): string {
  return results.reduce((text, result) => {
    const experiment = experiments.find(({ name }) => name === result.name)
    return experiment === undefined
      ? text
      : withPart(text, result.name, tableOf(experiment, result))
  }, page)
}

/** The table, and under it what made it. */
export function tableOf({ columns }: Experiment, result: KeptExperiment): string {
  const { command, commit, engine, node, measured_on: day, machine } = result
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const made = `\`${command}\`, ${day}, commit ${commit}, ${engine}, Node ${node}, ${machine.cores} cores (${machine.processor})`
  return [
    line(columns.map(({ name }) => name)),
    line(columns.map(({ digits }) => (digits === undefined ? '---' : '---:'))),
    ...result.rows.map((row) => line(columns.map((column) => cellOf(column, row)))),
    '',
    `*${made}*`,
  ].join('\n')
}

function cellOf({ name, digits }: Column, row: Row): string {
  const value = row[name]
  if (value === undefined || value === null) return '-'
  return typeof value === 'number' && digits !== undefined ? value.toFixed(digits) : String(value)
}

function withPart(page: string, name: string, content: string): string {
  const first = `<!-- generated: learning ${name} -->`
  const at = page.indexOf(first)
  const end = page.indexOf('<!-- end -->', at)
  if (at < 0 || end < 0) throw new RangeError(`the page has no part ${first} ... <!-- end -->`)
  return `${page.slice(0, at + first.length)}\n${content}\n${page.slice(end)}`
}

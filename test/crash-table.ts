/**
 * @file The crash table: what runs that were crashed left beside what a run without a crash left, counted. With CRASH_TABLE set to a
 * file, the suites that crash things put their rows there, in the shape of a bench's result.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { thisCommit, thisMachine } from '../bench/machine.ts'
import { type Result, resultOf } from '../bench/result.ts'

/** What a run left, as far as it is counted. */
export interface Countable {
  readonly state: string
  readonly samples: number
  readonly versions: unknown
  readonly sides: Readonly<
    Record<string, { readonly records: number; readonly doubled: number; readonly sha256: string }>
  >
}

/** What was found over all runs of one kind of crash. */
export interface CrashRow {
  /** How many processes or awaits were cut short. */
  readonly crashes: number
  readonly runs: number
  /** Samples and records of side outputs that a run without a crash has, and a crashed one has not. */
  readonly lost: number
  readonly doubled: number
  /** Runs whose state, versions or side outputs have another hash. */
  readonly different: number
}

/** Counts runs of one kind of crash against the run without one. */
export class CrashCount {
  readonly #expected: Countable
  #row: CrashRow = { crashes: 0, runs: 0, lost: 0, doubled: 0, different: 0 }

  constructor(expected: Countable) {
    this.#expected = expected
  }

  get row(): CrashRow {
    return this.#row
  }

  /** One run that was crashed so many times, and what it left. */
  add(crashes: number, found: Countable): void {
    const { samples, sides } = this.#expected
    const more = Object.entries(sides).map(([side, { records }]) => {
      return (found.sides[side]?.records ?? 0) - records
    })
    const differences = [found.samples - samples, ...more]
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
    const keptTwice = Object.values(found.sides).map(({ doubled }) => doubled)
    this.#row = {
      crashes: this.#row.crashes + crashes,
      runs: this.#row.runs + 1,
      lost: this.#row.lost + sum(differences.map((one) => Math.max(0, -one))),
      doubled:
        this.#row.doubled +
        Math.max(sum(keptTwice), sum(differences.map((one) => Math.max(0, one)))),
      different: this.#row.different + (hashesOf(found) === hashesOf(this.#expected) ? 0 : 1),
    }
  }
}

function hashesOf({ state, versions, sides }: Countable): string {
  return JSON.stringify([state, versions, Object.entries(sides).map(([, { sha256 }]) => sha256)])
}

/** Writes the row where CRASH_TABLE says, beside the rows that are there. */
export function writeCrashRow(kind: string, row: CrashRow): void {
  const file = process.env.CRASH_TABLE
  if (file === undefined) return
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Result) : undefined
  const others = (before?.figures ?? []).filter(({ label }) => !label.startsWith(`${kind}: `))
  const figures = (['lost', 'doubled', 'different'] as const).map((name) => {
    const unit = name === 'different' ? 'runs' : 'records'
    return {
      label: `${kind}: ${name}`,
      unit,
      rounds: [row[name]],
      better: 'lower',
      target: 0,
    } as const
  })
  const facts = { ...before?.facts, [`${kind}: crashes`]: row.crashes, [`${kind}: runs`]: row.runs }
  const result = resultOf(
    { figures: [...others, ...figures], facts },
    {
      name: 'crash-table',
      summary: 'What crashed runs left, counted against a run without a crash.',
      command: 'npm run test:kafka:kills',
      measured_on: new Date().toISOString().slice(0, 10),
      commit: thisCommit(),
      machine: thisMachine(),
    },
  )
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`)
}

/** @file `millrace init`: writes a job file and its schemas from a sample of events, with the reason of every guess. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Row } from '../src/datasets/field-profile.ts'
import { guessDelay, guessDisorder } from '../src/datasets/guess-delays.ts'
import { guessFeatures } from '../src/datasets/guess-features.ts'
import {
  guessAnchor,
  guessKey,
  guessKind,
  guessPair,
  hitRate,
  type KindGuess,
  kindName,
} from '../src/datasets/guess-kinds.ts'
import { MillraceError } from '../src/errors.ts'
import { checkJob } from './check-command.ts'
import { type CommandContext, printResult } from './command-context.ts'
import { type JobGuess, jobText, keyFields, kindsOf, schemaPath, schemaText } from './init-files.ts'
import { eventFile, sampleFile } from './read-events.ts'

export interface InitCommand {
  /** Files of events, `kind=path` where the name of a file is not its kind. */
  readonly input: readonly string[]
  /** Folder to write to. */
  readonly output: string
  readonly name?: string
  readonly kindField?: string
  /** The kind that opens samples, or `none`: the events have no impressions. */
  readonly anchor?: string
  /** Brokers of a Kafka bus, comma-separated. */
  readonly brokers?: string
  /** Rows that are read of each file. */
  readonly rows: number
  /** Write over files that are there. */
  readonly force?: boolean
}

/** As `--anchor`: nothing says what was shown. */
const NO_IMPRESSIONS = 'none'

export async function initCommand(context: CommandContext, command: InitCommand): Promise<void> {
  const guess = await guessJob(command)
  const files = new Map([[join(command.output, 'job.yaml'), jobText(guess)]])
  for (const kind of kindsOf(guess)) {
    files.set(join(command.output, schemaPath(kind.kind)), schemaText(kind, guess.key))
  }
  const [job = ''] = files.keys()
  const taken = [...files.keys()].filter((path) => existsSync(path))
  if (taken.length > 0 && command.force !== true) {
    throw new MillraceError('USAGE', `${taken.join(', ')} is there already`, {
      remedy: 'give another --output, or --force to write over it',
    })
  }
  for (const [path, text] of files) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  const { value, text } = await checkJob(job)
  const inputs = command.input.map((input) => `--input ${input}`).join(' ')
  const next = `millrace import ${job} ${inputs}`
  const wrote = [...files.keys()]
  const lines = [...wrote.map((path) => `wrote ${path}`), text, `next: ${next}`]
  printResult(context, { wrote, check: value, next }, lines.join('\n'))
}

async function guessJob(command: InitCommand): Promise<JobGuess> {
  const byKind = new Map<string, Row[]>()
  for (const text of command.input) {
    const { rows, kindOf } = await sampleFile(eventFile(text), command.rows, command.kindField)
    for (const row of rows) {
      const kind = kindOf(row)
      const known = byKind.get(kind)
      if (known === undefined) byKind.set(kind, [row])
      else known.push(row)
    }
  }
  const kinds = Array.from(byKind, ([kind, rows]) => guessKind(kind, rows))
  const impressions = command.anchor !== NO_IMPRESSIONS
  const anchor = impressions ? anchorOf(kinds, command.anchor) : mostFrequent(kinds)
  const others = kinds
    .filter((kind) => kind !== anchor)
    .sort((a, b) => b.rows.length - a.rows.length)
  const key = impressions ? guessKey(anchor, others) : guessPair(anchor, others)
  const names = keyFields(key)
  const impressionKey = typeof key === 'string' ? [key] : []
  const leftOut = [anchor.time, ...(anchor.id === undefined ? [] : [anchor.id]), ...impressionKey]
  return {
    name: kindName(command.name ?? 'my-events').replaceAll('_', '-'),
    anchor,
    impressions,
    feedback: [...(impressions ? [] : [anchor]), ...others].map((kind) => ({
      kind,
      delay: guessDelay(anchor, kind, names),
    })),
    key,
    hitRate: hitRate(anchor, others, names),
    disorderMs: guessDisorder(kinds),
    features: guessFeatures(
      anchor,
      [...leftOut, ...kindFields(command, anchor.kind, byKind)],
      others.map(({ kind }) => kind),
    ),
    brokers: command.brokers?.split(','),
  }
}

/** A field that is the kind in every row of the anchor says nothing about a row. */
function kindFields(
  { kindField }: InitCommand,
  anchor: string,
  byKind: ReadonlyMap<string, readonly Row[]>,
): string[] {
  if (kindField !== undefined) return [kindField]
  const [row = {}] = byKind.get(anchor) ?? []
  return Object.entries(row).flatMap(([name, value]) =>
    typeof value === 'string' && kindName(value) === anchor ? [name] : [],
  )
}

/** BAD_INPUT when the sample has no event at all. */
function mostFrequent(kinds: readonly KindGuess[]): KindGuess {
  const [first] = [...kinds].sort((a, b) => b.rows.length - a.rows.length)
  if (first !== undefined) return first
  throw new MillraceError('BAD_INPUT', 'the sample has no events')
}

function anchorOf(
  kinds: Parameters<typeof guessAnchor>[0],
  asked: string | undefined,
): ReturnType<typeof guessAnchor> {
  const guessed = guessAnchor(kinds)
  if (asked === undefined) return guessed
  const found = kinds.find(({ kind }) => kind === kindName(asked))
  if (found !== undefined) return found
  throw new MillraceError('USAGE', `the sample has no kind ${asked}`, {
    remedy: `use one of ${kinds.map(({ kind }) => kind).join(', ')}`,
  })
}

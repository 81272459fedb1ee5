/** @file `millrace import JOB`: newline-delimited JSON events onto the bus of a job, as its schemas want them. */

import { createHash } from 'node:crypto'
import type { OutgoingRecord, TopicLog } from '../src/broker/topic-log.ts'
import { type Row, readTime } from '../src/datasets/field-profile.ts'
import { MillraceError, messageOf } from '../src/errors.ts'
import type { EventKind } from '../src/events/event-kind.ts'
import { countOf, formatCount } from '../src/observe/format.ts'
import { type Job, loadJob } from '../src/settings/job.ts'
import type { AvroCodec } from '../src/wire/avro-codec.ts'
import { openBus } from './bus.ts'
import { type CommandContext, printResult } from './command-context.ts'
import { codecOf, createEventTopics } from './event-inputs.ts'
import { readNdjson } from './ndjson.ts'
import { type EventFile, eventFile, kindIn, sampleFile } from './read-events.ts'
import { type Waiting, withProgress } from './waiting.ts'

export interface ImportCommand {
  readonly job: string
  /** Files of events, `kind=path` where the name of a file is not its kind. */
  readonly input: readonly string[]
  readonly kindField?: string
}

/** Records that are appended at once. */
const BATCH = 2_000
/** Rows of a file that are looked at for the field that says their kind. */
const LOOK_ROWS = 1_000
/** Reasons that are shown; the others are counted. */
const MOST_REASONS = 5

/** What became of the rows. */
interface Imported {
  readonly appended: Map<string, number>
  readonly refused: { count: number; readonly reasons: string[] }
}

/** Rows that a schema cannot hold are counted and named, and the others go on; BAD_INPUT at the end when none could be read. */
export async function importCommand(
  context: CommandContext,
  command: ImportCommand,
): Promise<void> {
  const job = await loadJob(command.job)
  const files = command.input.map(eventFile)
  const log = await openBus(job.bus)
  const done: Imported = { appended: new Map(), refused: { count: 0, reasons: [] } }
  try {
    await createEventTopics(job, log)
    await withProgress(context, async (waiting) => {
      for (const file of files)
        await importFile({ job, log, done, waiting }, file, command.kindField)
    })
  } finally {
    await log.close()
  }
  report(context, done)
}

interface Import {
  readonly job: Job
  readonly log: TopicLog
  readonly done: Imported
  readonly waiting: Waiting
}

async function importFile(
  { job, log, done, waiting }: Import,
  file: EventFile,
  asked: string | undefined,
): Promise<void> {
  const routes = routesOf(job)
  const field = await kindFieldOf(file, asked, routes)
  let batch = new Map<string, OutgoingRecord[]>()
  let rows = 0
  const flush = async (): Promise<void> => {
    for (const [topic, records] of batch) await log.append(topic, records)
    batch = new Map()
  }
  for await (const row of readNdjson(file.path)) {
    rows += 1
    const kind = field === undefined ? file.kind : kindIn(row, field, file.path)
    const route = routes.get(kind)
    const made = route === undefined ? `no kind ${kind} in the job` : recordOf(route, row)
    if (route === undefined || typeof made === 'string') {
      refuse(done, `${file.path}, row ${rows}: ${String(made)}`)
      continue
    }
    const { topic } = route.kind
    const records = batch.get(topic)
    if (records === undefined) batch.set(topic, [made])
    else records.push(made)
    done.appended.set(kind, (done.appended.get(kind) ?? 0) + 1)
    if (rows % BATCH === 0) await flush()
    waiting.show(() => `${file.path}: ${formatCount(rows)} rows`)
  }
  await flush()
}

/** The kind of a row is in a field where the file mixes kinds of the job. */
async function kindFieldOf(
  file: EventFile,
  asked: string | undefined,
  routes: ReadonlyMap<string, Route>,
): Promise<string | undefined> {
  if (asked !== undefined) return asked
  if (routes.has(file.kind)) return undefined
  const { rows, kindOf, field } = await sampleFile(file, LOOK_ROWS, undefined)
  if (field !== undefined && rows.some((row) => routes.has(kindOf(row)))) return field
  throw new MillraceError('USAGE', `${file.path}: no field says which kind of the job a row is`, {
    remedy: `write --input KIND=${file.path} with one of ${[...routes.keys()].join(', ')}, or give --kind-field`,
  })
}

interface Route {
  readonly kind: EventKind
  readonly codec: AvroCodec
}

function routesOf(job: Job): ReadonlyMap<string, Route> {
  return new Map(job.events.kinds.map((kind) => [kind.kind, { kind, codec: codecOf(job, kind) }]))
}

/** A record of the row, or why it can be none. */
function recordOf({ kind, codec }: Route, row: Row): OutgoingRecord | string {
  const time = readTime(row[kind.time], kind.timeUnit)
  if (time === undefined) return `${kind.time} is no time in ${kind.timeUnit}`
  const id =
    row[kind.id] ?? createHash('sha256').update(JSON.stringify(row)).digest('hex').slice(0, 32)
  const keys = typeof kind.key === 'string' ? [kind.key] : kind.key
  try {
    const value = codec.encode(fitted(codec, { ...row, [kind.id]: id }))
    const key = new TextEncoder().encode(String(row[keys[0] ?? '']))
    return { key, value, timestampMs: Math.round(time) }
  } catch (thrown) {
    return messageOf(thrown)
  }
}

/** Only the schema's fields: null where the row has none of an optional one. */
function fitted({ schema }: AvroCodec, row: Row): Record<string, unknown> {
  return Object.fromEntries(
    schema.fields.flatMap(({ name }) =>
      Object.hasOwn(row, name) && row[name] !== undefined ? [[name, row[name]]] : [],
    ),
  )
}

function refuse({ refused }: Imported, reason: string): void {
  refused.count += 1
  if (refused.reasons.length < MOST_REASONS) refused.reasons.push(reason)
}

function report(context: CommandContext, { appended, refused }: Imported): void {
  const left = refused.reasons.map((reason) => `  ${reason}`)
  const lines = [
    ...Array.from(appended, ([kind, count]) => `appended ${formatCount(count)} ${kind}`),
    ...(refused.count === 0 ? [] : [`left out ${countOf(refused.count, 'row')}`, ...left]),
  ]
  const value = { appended: Object.fromEntries(appended), left_out: refused }
  printResult(context, value, lines.join('\n'))
  if (appended.size === 0 && refused.count > 0) {
    throw new MillraceError('BAD_INPUT', `none of ${refused.count} rows could be imported`, {
      remedy: 'compare the first reasons with the schemas of the job',
    })
  }
}

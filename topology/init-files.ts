/** @file What `millrace init` writes: a job file with the reason of every guess beside it, and one Avro schema per kind. */

import type { FieldProfile } from '../src/datasets/field-profile.ts'
import { type DelayGuess, roundUp } from '../src/datasets/guess-delays.ts'
import type { FeatureGuess } from '../src/datasets/guess-features.ts'
import type { KeyGuess, KindGuess } from '../src/datasets/guess-kinds.ts'

/** Everything that was guessed from the sample. */
export interface JobGuess {
  readonly name: string
  /** The kind that opens samples; without impressions the most frequent one, which is among the feedback too. */
  readonly anchor: KindGuess
  readonly impressions: boolean
  /** The other kinds, each a task. */
  readonly feedback: readonly { readonly kind: KindGuess; readonly delay: DelayGuess }[]
  readonly key: KeyGuess
  /** Share of the feedback whose key some impression of the sample has. */
  readonly hitRate: number
  readonly disorderMs: number
  readonly features: readonly FeatureGuess[]
  /** `host:port` of brokers; absent: the embedded log. */
  readonly brokers?: readonly string[] | undefined
}

/** The field that the importer fills from the row where a kind has no id of its own. */
export const MADE_ID = 'event_id'

const SHORTEST_WINDOW_MS = 60_000
const LEAST_LATENESS_MS = 5_000

/** Every kind once, the one that samples start with first. */
export function kindsOf({ anchor, feedback }: JobGuess): readonly KindGuess[] {
  return [...new Set([anchor, ...feedback.map(({ kind }) => kind)])]
}

/** The job file as text. */
export function jobText(guess: JobGuess): string {
  return `${[head(guess), bus(guess), events(guess), join(guess), features(guess), rest(guess)].join('\n\n')}\n`
}

/** Where in the folder of the job the schema of a kind lies. */
export function schemaPath(kind: string): string {
  return `schemas/${kind}.avsc`
}

/** The Avro schema of one kind. Fields that a row may lack, or that are no event's own, may be null. */
export function schemaText(kind: KindGuess, key: KeyGuess): string {
  const required = new Set([kind.time, kind.id ?? MADE_ID, ...keyFields(key)])
  const known = kind.fields.filter(({ name, type }) => isName(name) && avroType(type) !== undefined)
  const made =
    kind.id === undefined
      ? [{ name: MADE_ID, type: 'string', doc: 'Made by the importer from the row.' }]
      : []
  const fields = [...made, ...known.map((field) => schemaField(field, required.has(field.name)))]
  const lines = fields.map((field) => `    ${JSON.stringify(field)}`).join(',\n')
  return `{\n  "type": "record",\n  "name": "${kind.kind}",\n  "fields": [\n${lines}\n  ]\n}\n`
}

function schemaField({ name, type, time }: FieldProfile, required: boolean): object {
  const avro = time === 's' ? 'double' : (avroType(type) ?? 'string')
  if (required) return { name, type: avro }
  if (type === 'texts') return { name, type: avro, default: [] }
  return { name, type: ['null', avro], default: null }
}

function avroType(type: FieldProfile['type']): string | object | undefined {
  const types = {
    text: 'string',
    integer: 'long',
    number: 'double',
    boolean: 'boolean',
    texts: { type: 'array', items: 'string' },
    mixed: undefined,
    nested: undefined,
  }
  return types[type]
}

function isName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
}

/** The fields of a key as a list. */
export function keyFields(key: KeyGuess): readonly string[] {
  return typeof key === 'string' ? [key] : key
}

function head(guess: JobGuess): string {
  const counts = kindsOf(guess)
    .map(({ kind, rows }) => `${rows.length} ${kind}`)
    .join(', ')
  return `# Written by millrace init from a sample: ${counts}.
# Every guess has its reason beside it; change what you know better, then: millrace check JOB
name: ${guess.name}`
}

function bus({ name, brokers }: JobGuess): string {
  if (brokers === undefined) {
    return `bus:
  kind: file # an embedded log: files in a folder, no broker
  path: .millrace/${name}/bus
  partitions: 2`
  }
  return `bus:
  kind: kafka
  brokers: [${brokers.join(', ')}] # security: docs/kafka.md
  partitions: 2 # of topics that do not exist yet`
}

function events(guess: JobGuess): string {
  const { anchor, impressions, key, hitRate, disorderMs } = guess
  const lateness = Math.max(LEAST_LATENESS_MS, roundUp(disorderMs))
  const found = `${percent(hitRate)} of the feedback in the sample finds its impression by it`
  const how = !impressions
    ? 'nothing says what was shown: the first action of a user on an item starts a sample'
    : typeof key === 'string'
      ? `${key} is the impression's id: ${found}`
      : `no shared impression id; user and item tell: ${found}`
  return `events:
  lateness_ms: ${lateness} # in the sample an event lies at most ${Math.round(disorderMs)} ms behind the newest before it
  # ${how}
  kinds:
${kindsOf(guess)
  .map((kind) => `    - ${kindLine(kind, key, impressions && kind === anchor)}`)
  .join('\n')}`
}

function kindLine({ kind, time, timeUnit, id }: KindGuess, key: KeyGuess, anchor: boolean): string {
  const parts = [
    `kind: ${kind}`,
    `topic: ${kind}`,
    `schema: ${schemaPath(kind)}`,
    `id: ${id ?? MADE_ID}`,
    `time: ${time}`,
    ...(timeUnit === 'ms' ? [] : [`time_unit: ${timeUnit}`]),
    `key: ${typeof key === 'string' ? key : `[${key.join(', ')}]`}`,
    ...(anchor ? ['anchor: true'] : []),
  ]
  return `{ ${parts.join(', ')} }`
}

function join({ feedback }: JobGuess): string {
  const tasks = feedback.map(({ kind, delay }) => {
    const { p99Ms } = delay
    const windowMs = Math.max(SHORTEST_WINDOW_MS, roundUp(p99Ms ?? SHORTEST_WINDOW_MS))
    const why =
      p99Ms === undefined
        ? 'none of it found its impression in the sample: a guess without ground'
        : `99 % came within ${Math.round(p99Ms / 1000)} s, ${percent(delay.matched)} found their impression`
    return `    - { name: ${kind.kind}, window_ms: ${windowMs} } # ${why}`
  })
  return `join:
  tasks: # a task's label is whether its event comes within the window; list them from common to rare
${tasks.join('\n')}`
}

function features({ impressions, features: guesses }: JobGuess): string {
  const used = guesses.map((guess) => {
    if (guess.kind === 'none') return `  # left out: ${guess.field} (${guess.note})`
    const log = guess.kind === 'number' && guess.log ? ', log: true' : ''
    return `  - { name: ${guess.field}, kind: ${guess.kind}${log} } # ${guess.note}`
  })
  return `features: # fields of ${impressions ? 'the impression, as they were known when it was shown' : 'the first action; every kind must have them'}
${used.join('\n')}
  - { name: hour_of_day, kind: hour }`
}

function drawn({ impressions }: JobGuess): string {
  if (impressions) return ''
  return `negatives:
  # items drawn as often as users acted on them stand for what was passed over; name the fields that describe an item
  drawn: { per_action: 4, item_fields: [] }

`
}

function rest(guess: JobGuess): string {
  const { anchor } = guess
  const every = Math.max(100, Math.min(10_000, Math.floor(anchor.rows.length / 10)))
  return `${drawn(guess)}batch: { count: 128 }

model: # shared experts, one gate and tower per task; others: docs/job-file.md
  kind: mmoe
  dim: 8
  experts: 4
  expert_hidden: [64, 32]
  tower_hidden: [16]
  wide: true # one linear weight per id and task, beside the network

balance: { kind: equal }

train:
  dense: { learning_rate: 0.002 }
  # Gradients are means over the batch, so accumulators that start at .1 would swallow them.
  sparse: { kind: adagrad, learning_rate: 0.05, initial_accumulator: 0.0001 }
  wide: { kind: adagrad, learning_rate: 0.05, initial_accumulator: 0.0001 }

publish: { every_samples: ${every} }`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

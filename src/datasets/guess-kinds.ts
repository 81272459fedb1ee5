/** @file Guesses what sample rows are about: their kinds of events, which kind is the anchor, id, time and key of each. */

import { MillraceError } from '../errors.ts'
import { type FieldProfile, profileFields, type Row, type TimeUnit } from './field-profile.ts'

/** Rows of one kind and what was guessed of them. */
export interface KindGuess {
  readonly kind: string
  readonly rows: readonly Row[]
  readonly fields: readonly FieldProfile[]
  readonly time: string
  readonly timeUnit: TimeUnit
  /** The field with the event's own id; undefined where no field is one and the importer makes it. */
  readonly id: string | undefined
}

/** Fields that may say what kind a row is, best first. */
export const KIND_FIELDS = ['kind', 'event_type', 'type', 'event', 'event_name', 'action', 'name']
const MOST_KINDS = 20

const ANCHOR_NAMES = /impression|expos|shown?$|display|view|serve|recommend/i
const TIME_NAMES = /time|timestamp|(^|_)ts$|_at$|date/i
const ID_NAMES = /^(event_?)?(id|uuid)$/i

/** A name as the job file wants it: `Page View` is `page_view`. */
export function kindName(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^[^a-z]+|_+$/g, '')
  return name === '' ? 'event' : name
}

/** The field whose value is the kind: text, in every row, few different ones. */
export function guessKindField(rows: readonly Row[]): string | undefined {
  const fields = profileFields(rows)
  return KIND_FIELDS.find((name) =>
    fields.some(
      (field) =>
        field.name === name &&
        field.type === 'text' &&
        field.present === rows.length &&
        field.distinct >= 2 &&
        field.distinct <= MOST_KINDS,
    ),
  )
}

/** What is known of the rows of one kind; BAD_INPUT when they have no time. */
export function guessKind(kind: string, rows: readonly Row[]): KindGuess {
  const fields = profileFields(rows)
  const times = fields.filter(({ time, present }) => time !== undefined && present === rows.length)
  const time = times.find(({ name }) => TIME_NAMES.test(name)) ?? times[0]
  if (time?.time === undefined) {
    throw new MillraceError('BAD_INPUT', `${kind}: no field is a time in every row`, {
      remedy: 'give each event a time: Unix milliseconds or seconds, or ISO 8601 with a zone',
    })
  }
  return { kind, rows, fields, time: time.name, timeUnit: time.time, id: idOf(fields, rows.length) }
}

/** A field that is another one in nearly every row: deliveries may come twice. */
function idOf(fields: readonly FieldProfile[], rows: number): string | undefined {
  const unique = fields.filter(
    ({ type, present, distinct, time }) =>
      (type === 'text' || type === 'integer') &&
      time === undefined &&
      present === rows &&
      distinct >= 0.9 * rows,
  )
  const named = unique.find(({ name }) => ID_NAMES.test(name))
  return (named ?? unique.find(({ name }) => /id$/i.test(name)))?.name
}

/** The kind that opens samples: by its name, else the one with the most rows. */
export function guessAnchor(kinds: readonly KindGuess[]): KindGuess {
  const named = kinds.filter(({ kind }) => ANCHOR_NAMES.test(kind))
  const [first] = [...(named.length > 0 ? named : kinds)].sort(
    (a, b) => b.rows.length - a.rows.length,
  )
  if (first === undefined || kinds.length < 2) {
    const found = kinds.map(({ kind }) => kind).join(', ') || 'none'
    throw new MillraceError(
      'BAD_INPUT',
      `at least two kinds of events are needed, found: ${found}`,
      {
        remedy:
          'give what was shown and what people did with it: one file with a field for the kind (--kind-field), or a file per kind',
      },
    )
  }
  return first
}

/** How feedback finds its impression. */
export type KeyGuess = string | readonly [user: string, item: string]

/** The id that feedback shares with its impression, else the fields of user and item; BAD_INPUT when there is neither. */
export function guessKey(anchor: KindGuess, others: readonly KindGuess[]): KeyGuess {
  const shared = inEveryKind(anchor, others).find(
    ({ name, distinct }) =>
      distinct >= 0.9 * anchor.rows.length && hitRate(anchor, others, [name]) > 0.5,
  )
  return shared === undefined ? guessPair(anchor, others) : shared.name
}

/** The fields of user and item, where there is no other tie, or there are no impressions at all; BAD_INPUT when there are none. */
export function guessPair(
  anchor: KindGuess,
  others: readonly KindGuess[],
): readonly [user: string, item: string] {
  const everywhere = inEveryKind(anchor, others)
  const named = (pattern: RegExp): string | undefined =>
    everywhere.find(({ name }) => pattern.test(name))?.name
  const user = named(/user|customer|visitor|member|account|session|uid/i)
  const item = everywhere.find(({ name }) => name !== user && ITEM_NAMES.test(name))?.name
  if (user !== undefined && item !== undefined) return [user, item]
  const names = everywhere.map(({ name }) => name).join(', ') || 'none'
  throw new MillraceError(
    'BAD_INPUT',
    `nothing tells to which ${anchor.kind} a ${others[0]?.kind ?? 'second event'} belongs; fields in every kind: ${names}`,
    { remedy: 'give every event the id of its impression, or the ids of user and item' },
  )
}

/** Fields of the anchor that may be ids and that every other kind has too. */
function inEveryKind(anchor: KindGuess, others: readonly KindGuess[]): readonly FieldProfile[] {
  return anchor.fields.filter(
    ({ name, type, time }) =>
      (type === 'text' || type === 'integer') &&
      time === undefined &&
      name !== anchor.time &&
      others.every(({ fields }) => fields.some((field) => field.name === name)),
  )
}

const ITEM_NAMES = /item|product|article|video|post|content|song|movie|ad_?id|sku|doc/i

/** Share of the feedback whose key some impression has. */
export function hitRate(
  anchor: KindGuess,
  others: readonly KindGuess[],
  key: readonly string[],
): number {
  const known = new Set(anchor.rows.map((row) => keyText(row, key)))
  const rows = others.flatMap((other) => other.rows)
  return rows.filter((row) => known.has(keyText(row, key))).length / Math.max(1, rows.length)
}

/** The key of a row as one text. */
export function keyText(row: Row, key: readonly string[]): string {
  return JSON.stringify(key.map((name) => String(row[name])))
}

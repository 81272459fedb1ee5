/** @file Guesses features from the fields of impressions: which are ids, which are numbers, which are no features at all. */

import type { FieldProfile } from './field-profile.ts'
import type { KindGuess } from './guess-kinds.ts'

/** A feature as the job file declares it, or why a field is none. */
export type FeatureGuess =
  | { readonly kind: 'id' | 'ids'; readonly field: string; readonly note: string }
  | {
      readonly kind: 'number'
      readonly field: string
      readonly log: boolean
      readonly note: string
    }
  | { readonly kind: 'none'; readonly field: string; readonly note: string }

/** Integers with more values than this are quantities, unless their name says id. */
const MOST_INTEGER_IDS = 50
const OUTCOME_NAMES =
  /click|like|purchas|bought|sold|convert|label|target|outcome|revenue|rating|dwell|watch/i

/** Guesses for the fields of the anchor that are neither its id, its time, nor what feedback is matched by. */
export function guessFeatures(
  anchor: KindGuess,
  leftOut: readonly string[],
  outcomes: readonly string[],
): readonly FeatureGuess[] {
  return anchor.fields
    .filter(({ name }) => !leftOut.includes(name))
    .map((field) => guessFeature(field, anchor.rows.length, outcomes))
}

function guessFeature(
  field: FieldProfile,
  rows: number,
  outcomes: readonly string[],
): FeatureGuess {
  const { name, type, distinct, present } = field
  const none = (note: string): FeatureGuess => ({ kind: 'none', field: name, note })
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) return none('a name that no event schema can hold')
  if (outcomes.some((task) => name.includes(task)) || OUTCOME_NAMES.test(name)) {
    return none('looks like an outcome: what is known only afterwards must not be a feature')
  }
  if (type === 'nested' || type === 'mixed')
    return none(`values are ${type}: no feature reads them`)
  if (field.time !== undefined) return none('a time')
  if (distinct <= 1) return none('the same in every row')
  const note = `${distinct} different in ${present} rows`
  if (type === 'texts') return { kind: 'ids', field: name, note }
  if (type === 'boolean') return { kind: 'id', field: name, note }
  if (type === 'text') {
    return distinct > 0.95 * rows && rows > 100
      ? none('another one in nearly every row: nothing can be learned about it')
      : { kind: 'id', field: name, note }
  }
  if (type === 'integer' && (/id$/i.test(name) || distinct <= MOST_INTEGER_IDS)) {
    return { kind: 'id', field: name, note }
  }
  const skewed = field.smallest >= 0 && field.largest > 20 * Math.max(field.median, 1e-9)
  return { kind: 'number', field: name, log: skewed, note }
}

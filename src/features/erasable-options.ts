/**
 * @file Which features hold a user in keys that a tombstone cannot find: rows are found by key, keys are hashes, and only the
 * user's own key and its pairs with keys that have rows can be made again (feature-state/user-erasure.ts).
 */

import type { FeatureOptions } from './feature-options.ts'
import { hasState } from './state-options.ts'

/** A feature whose rows of a user would stay, in which table they are, and why. */
export interface Unreached {
  /** Place in the list of features. */
  readonly index: number
  readonly table: 'tables' | 'state_tables'
  readonly why: string
}

/** `userField`: the field of impressions that holds the user. */
export function unreachedByErasure(
  features: readonly FeatureOptions[],
  userField: string,
): readonly Unreached[] {
  /** Features of kind id that read the field, and all whose keys depend on it. */
  const users = new Set<string>()
  const holding = new Set<string>()
  const found: Unreached[] = []
  features.forEach((feature, index) => {
    const why = whyUnreached(feature, userField, users, holding)
    const table = hasState(feature) ? 'state_tables' : 'tables'
    if (why !== undefined) found.push({ index, table, why })
    const reads = fieldsOf(feature).includes(userField)
    if (feature.kind === 'id' && reads) users.add(feature.name)
    const made = membersOf(feature).some((member) => holding.has(member))
    if (reads || made) holding.add(feature.name)
  })
  return found
}

function whyUnreached(
  feature: FeatureOptions,
  userField: string,
  users: ReadonlySet<string>,
  holding: ReadonlySet<string>,
): string | undefined {
  if (feature.kind === 'ids' || feature.kind === 'bucket') {
    return fieldsOf(feature).includes(userField)
      ? `reads ${userField} as ${feature.kind}`
      : undefined
  }
  if (feature.kind === 'history' && holding.has(feature.items)) {
    return `remembers values of ${feature.items}`
  }
  const members = membersOf(feature)
  const holders = members.filter((member) => holding.has(member))
  if (holders.length === 0) return undefined
  if (members.length > 2) return `combines ${holders[0]} with more than one other feature`
  if (members.some((member) => users.has(member))) return undefined
  return `is made of ${holders[0]}, which is no plain id of the user`
}

/** Fields of impressions that a feature reads itself. */
function fieldsOf(feature: FeatureOptions): readonly string[] {
  switch (feature.kind) {
    case 'id':
    case 'ids':
    case 'bucket':
    case 'number':
      return [feature.from ?? feature.name].flat()
    default:
      return []
  }
}

/** Features above it whose keys make its own. */
function membersOf(feature: FeatureOptions): readonly string[] {
  return feature.kind === 'cross' || hasState(feature) ? feature.of : []
}

/** @file AUC inside groups (per user): how well one user's list is ranked, which the pooled AUC hides (GAUC of DIN, section 6). */

import { auc } from './auc.ts'

/** AUC averaged over the groups that have both classes. */
export interface GroupedAuc {
  /** Weighted by the number of rows of each group; `undefined` when no group has both classes. */
  readonly gauc: number | undefined
  /** Unweighted mean over the same groups. */
  readonly meanAuc: number | undefined
  readonly groups: number
  readonly rows: number
}

/** Groups are told apart by their value in `groups`, which is as long as `scores` and `labels`. */
export function groupedAuc(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  groups: ArrayLike<number>,
): GroupedAuc {
  let weighted = 0
  let sum = 0
  let rows = 0
  let counted = 0
  for (const members of rowsByGroup(groups).values()) {
    const value = auc(
      members.map((row) => scores[row]!),
      members.map((row) => labels[row]!),
    )
    if (value === undefined) continue
    weighted += value * members.length
    sum += value
    rows += members.length
    counted += 1
  }
  if (counted === 0) return { gauc: undefined, meanAuc: undefined, groups: 0, rows: 0 }
  return { gauc: weighted / rows, meanAuc: sum / counted, groups: counted, rows }
}

function rowsByGroup(groups: ArrayLike<number>): Map<number, number[]> {
  const members = new Map<number, number[]>()
  for (let row = 0; row < groups.length; row++) {
    const group = groups[row]!
    const known = members.get(group)
    if (known === undefined) members.set(group, [row])
    else known.push(row)
  }
  return members
}

/** @file A second version in the shadow of the one that answers: it scores the same rows, nobody sees its scores, and the differences are told. */

import type { FeatureRow } from '../features/slot-encoders.ts'
import type { Scored, Scorer } from './scorer.ts'
import type { ShadowedReport, TaskDifference } from './scorer-report.ts'

/** Scores a share of the requests once more. */
export class Shadow {
  readonly #scorer: Scorer
  readonly #share: number
  #owed = 0

  /** `share`: of the requests, from 0 to 1; evenly, not by chance. */
  constructor(scorer: Scorer, share: number) {
    this.#scorer = scorer
    this.#share = share
  }

  /** How the shadow's scores of these rows differ from the answer's; undefined when it is not their turn, or there is no version yet. */
  compare(rows: readonly FeatureRow[], answered: Scored): ShadowedReport | undefined {
    this.#owed += this.#share
    if (this.#owed < 1) return undefined
    this.#owed -= 1
    if (rows.length === 0) return undefined
    const shadowed = this.#scorer.score(rows)
    if (shadowed === undefined) return undefined
    return {
      kind: 'shadowed',
      rows: rows.length,
      tasks: answered.tasks.flatMap((task, t) => {
        const other = shadowed.tasks.indexOf(task)
        return other < 0 ? [] : [difference(task, [answered, t], [shadowed, other], rows.length)]
      }),
    }
  }
}

type TaskScores = readonly [Scored, task: number]

function difference(
  task: string,
  [answered, a]: TaskScores,
  [shadowed, b]: TaskScores,
  rows: number,
): TaskDifference {
  let [answer, shadow, distance] = [0, 0, 0]
  for (let row = 0; row < rows; row++) {
    const p = answered.probabilities[a * rows + row]!
    const q = shadowed.probabilities[b * rows + row]!
    answer += p
    shadow += q
    distance += Math.abs(p - q)
  }
  return { task, answer: answer / rows, shadow: shadow / rows, distance: distance / rows }
}

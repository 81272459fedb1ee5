/** @file The default run can be learned in one pass, and has to be learned all the time. */

import { expect, test } from 'vitest'
import { WORLD_TASKS } from '../../src/world/tasks.ts'
import { Truth } from '../../src/world/truth.ts'
import { worldOptions } from '../../src/world/world-options.ts'
import { auc, Interned, progressive } from './logistic-regression.ts'
import { deliveriesOf, joined, type Labelled } from './whole-run.ts'

const options = worldOptions.parse({ impressions: 300_000 })
const LAST_THIRD = 200_000

function names({ fields, timeMs }: Labelled): string[] {
  const { category, age_band, country, tags, item_age_hours } = fields
  const plain = ['user_id', 'category', 'author_id', 'age_band', 'country', 'device', 'position']
  return [
    'bias',
    ...plain.map((field) => `${field}=${fields[field]}`),
    `hour=${Math.floor(timeMs / 3_600_000) % 24}`,
    `category,age_band=${category},${age_band}`,
    `category,country=${category},${country}`,
    `age=${Math.floor(2 * Math.log1p(Number(item_age_hours)))}`,
    ...(tags as string[]).map((tag) => `tag=${tag}`),
  ]
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

test('one pass of logistic regression comes within .02 AUC and 3 % of the truth; frozen, it falls behind', () => {
  const rows = joined(deliveriesOf(options), options)
  const interned = new Interned()
  const features = rows.map((row) =>
    Uint32Array.from(names(row), (name) => interned.numberOf(name)),
  )
  const oracle = new Truth(options)
  const truths = rows.map(({ id }) => oracle.probabilities(id))
  WORLD_TASKS.forEach((task, index) => {
    const labels = rows.map((row) => row.labels[index] ?? 0)
    const seen = labels.slice(LAST_THIRD)
    const truth = truths.slice(LAST_THIRD).map((p) => p?.[task] ?? Number.NaN)
    const online = progressive(features, interned.size, labels).slice(LAST_THIRD)
    const frozen = progressive(features, interned.size, labels, LAST_THIRD).slice(LAST_THIRD)
    const positives = sum(seen)
    const [best, reached, stale] = [truth, online, frozen].map((scores) => auc(scores, seen))
    console.log(task, { positives, truth: best, online: reached, frozen: stale })
    expect(positives).toBeGreaterThan(3_000)
    expect(best).toBeGreaterThan(0.76)
    expect(best).toBeLessThan(0.9)
    expect(reached).toBeGreaterThan((best ?? 1) - 0.02)
    expect(reached).toBeLessThan(best ?? 0)
    expect(stale).toBeLessThan((reached ?? 0) - 0.005)
    // The truth itself is off by the actions lost on the way (0.4 %) and by chance (share: 1.5 % is one deviation).
    expect(Math.abs(sum(truth) / positives - 1)).toBeLessThan(0.03)
    expect(Math.abs(sum(online) / positives - 1)).toBeLessThan(0.03)
  })
})

/** @file docs/metrics.md has every metric that a learner or a scorer shows, with its type and its labels. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MetricsRegistry } from '../../src/observe/registry.ts'
import { ServeRegistry } from '../../src/observe/serve-registry.ts'
import { EVERY_REPORT } from '../observe/reports.ts'
import { EVERY_SCORER_REPORT } from '../observe/scorer-reports.ts'

interface Metric {
  readonly type: string
  readonly labels: ReadonlySet<string>
}

const page = new Map(
  [
    ...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `(\w+)` \| (\w+) \| (.*?) \| \S/gm),
  ].map(([, name = '', type = '', labels = '']): [string, Metric] => [
    name,
    { type, labels: new Set(labels.match(/\w+/g)) },
  ]),
)

/** What stands at `/metrics`: types, and the labels of the series. */
function shownIn(text: string): Map<string, Metric> {
  const shown = new Map<string, Metric & { readonly labels: Set<string> }>()
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm)) {
    shown.set(name, { type, labels: new Set() })
  }
  for (const [, series = '', labels = ''] of text.matchAll(/^(\w+)\{(.*)\} /gm)) {
    const metric = shown.get(series) ?? shown.get(series.replace(/_(bucket|sum|count)$/, ''))
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) {
      if (!['le', 'quantile'].includes(label)) metric?.labels.add(label)
    }
  }
  return shown
}

async function everything(): Promise<string> {
  const learner = new MetricsRegistry({ tasks: ['click', 'like'], version: '0.1.0' })
  for (const report of EVERY_REPORT) learner.record(report)
  const scorer = new ServeRegistry({ version: '0.1.0', clock: { now: () => 0 } })
  for (const report of EVERY_SCORER_REPORT) scorer.record(report)
  return `${await learner.expose()}\n${await scorer.expose()}`
}

test('the page has every metric that is shown, and no other', async () => {
  const shown = shownIn(await everything())
  expect(shown.size).toBeGreaterThan(60)
  expect([...page.keys()].sort()).toEqual([...shown.keys()].sort())
  for (const [name, { type, labels }] of shown) {
    expect(page.get(name)?.type, name).toBe(type)
    for (const label of labels) expect(page.get(name)?.labels, name).toContain(label)
  }
})

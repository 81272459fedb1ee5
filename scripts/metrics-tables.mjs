// Every metric as Markdown tables, from the instruments themselves. docs/metrics.md shows them.

import { Registry } from 'prom-client'
import { addProcessMetrics } from '../dist/src/observe/instrument-makers.js'
import { createInstruments } from '../dist/src/observe/instruments.js'
import { createScorerInstruments } from '../dist/src/observe/serve-registry.js'

const SECTIONS = [
  ['The learner', createInstruments],
  ['The scorer', createScorerInstruments],
  ['Every process', addProcessMetrics],
]

/** A section per kind of process. */
export function metricsTables() {
  return SECTIONS.map(([title, fill]) => {
    const registry = new Registry()
    fill(registry)
    return `## ${title}\n\n${table(registry.getMetricsAsArray())}`
  }).join('\n\n')
}

function table(metrics) {
  const rows = metrics
    .map(({ name, type, labelNames, help }) => {
      const labels = labelNames.map((label) => `\`${label}\``).join(', ')
      return `| \`${name}\` | ${type} | ${labels} | ${help.replaceAll('|', '\\|')} |`
    })
    .sort()
  return ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

/** @file Shorthands for metrics: the prefix, the registry, and gauges that show nothing until they are set. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from 'prom-client'

// prom-client names these gauges like counters, which `promtool check metrics` refuses.
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
]

/** Makes metrics named `millrace_...` inside `registry`; nothing goes into prom-client's global one. */
export function makersOf(registry: Registry) {
  const registers = [registry]
  return {
    counter: (name: string, help: string, labelNames: readonly string[] = []): Counter =>
      new Counter({ name: `millrace_${name}`, help, labelNames: [...labelNames], registers }),
    gauge: (name: string, help: string, labelNames: readonly string[] = []): Gauge => {
      const gauge = new Gauge({
        name: `millrace_${name}`,
        help,
        labelNames: [...labelNames],
        registers,
      })
      // prom-client starts a gauge without labels at 0: a watermark of 1970 that nobody reported.
      if (labelNames.length === 0) gauge.remove({})
      return gauge
    },
    histogram: (name: string, help: string, buckets: readonly number[]): Histogram =>
      new Histogram({ name: `millrace_${name}`, help, buckets: [...buckets], registers }),
  }
}

/** Memory, CPU, event loop and garbage collection of this process. */
export function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry })
  for (const name of MISNAMED) registry.removeSingleMetric(name)
}

import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { ServeRegistry } from '../../src/observe/serve-registry.ts'
import { EVERY_SCORER_REPORT } from './scorer-reports.ts'

const PUBLISHED = 1_800_000_000_000

/** A registry whose clock is moved by hand. */
function freshRegistry({ processMetrics = false } = {}) {
  const time = { ms: PUBLISHED }
  const clock = { now: () => time.ms }
  return { registry: new ServeRegistry({ version: '0.1.0', clock, processMetrics }), time }
}

async function linesOf(registry: ServeRegistry): Promise<string[]> {
  return (await registry.expose()).split('\n').filter((line) => !line.startsWith('#'))
}

const promtool = spawnSync('promtool', ['--version']).status === 0

describe('ServeRegistry', () => {
  test('every report ends in metrics with the reported values', async () => {
    const { registry, time } = freshRegistry()
    for (const report of EVERY_SCORER_REPORT) registry.record(report)
    time.ms += 2_500
    expect(await linesOf(registry)).toEqual(
      expect.arrayContaining([
        'millrace_scorer_requests_total{status="200"} 1',
        'millrace_scorer_request_duration_seconds_bucket{le="0.005"} 1',
        'millrace_scorer_rows_total 9',
        'millrace_scorer_failures_total 1',
        'millrace_scorer_model_version 12',
        'millrace_scorer_staleness_seconds 2.5',
        'millrace_scorer_table_rows 4000',
        'millrace_scorer_updates_applied_total 1',
        'millrace_scorer_updates_refused_total{reason="gap"} 1',
        'millrace_scorer_topic_failures_total 1',
        `millrace_build_info{version="0.1.0",node="${process.version}"} 1`,
      ]),
    )
  })

  test('counters that alerts watch begin at 0, so that the first fault is an increase', async () => {
    const lines = await linesOf(freshRegistry().registry)
    for (const reason of [
      'corrupt',
      'foreign',
      'zombie',
      'gap',
      'fork',
      'incomplete',
      'malformed',
    ]) {
      expect(lines).toContain(`millrace_scorer_updates_refused_total{reason="${reason}"} 0`)
    }
    expect(lines).toContain('millrace_scorer_requests_total{status="500"} 0')
    expect(lines).toContain('millrace_scorer_topic_failures_total 0')
  })

  test('staleness grows until the next version', async () => {
    const { registry, time } = freshRegistry()
    const applied = EVERY_SCORER_REPORT.find((report) => report.kind === 'applied')!
    registry.record(applied)
    time.ms += 60_000
    expect(await linesOf(registry)).toContain('millrace_scorer_staleness_seconds 60')
    registry.record({ ...applied, publishedAtMs: time.ms })
    expect(await linesOf(registry)).toContain('millrace_scorer_staleness_seconds 0')
  })

  test('without a version in use there is none shown, neither before the first nor after a loss', async () => {
    const { registry } = freshRegistry()
    const version = /^millrace_scorer_(model_version|staleness|table_rows)/
    const shown = async () => (await linesOf(registry)).filter((line) => version.test(line))
    expect(await shown()).toEqual([])
    for (const report of EVERY_SCORER_REPORT) registry.record(report)
    expect(await shown()).toHaveLength(3)
    registry.record({
      kind: 'refused',
      reason: 'corrupt',
      detail: 'the probe is off',
      usable: false,
    })
    expect(await shown()).toEqual([])
  })

  test.runIf(promtool)('passes promtool check metrics, process metrics included', async () => {
    const { registry } = freshRegistry({ processMetrics: true })
    for (const report of EVERY_SCORER_REPORT) registry.record(report)
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: await registry.expose() })
    expect(`${checked.stdout}${checked.stderr}`).toBe('')
    expect(checked.status).toBe(0)
  })
})

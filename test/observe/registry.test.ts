import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { MetricsRegistry } from '../../src/observe/registry.ts'
import type { EpochReport } from '../../src/observe/report.ts'
import { accountingOf, EVERY_REPORT, taskQuality } from './reports.ts'

function freshRegistry(processMetrics = false): MetricsRegistry {
  return new MetricsRegistry({ tasks: ['click', 'like'], version: '0.1.0', processMetrics })
}

async function linesOf(registry: MetricsRegistry): Promise<string[]> {
  return (await registry.expose()).split('\n').filter((line) => !line.startsWith('#'))
}

function epochWith(joined: number): EpochReport {
  const accounting = [{ ...accountingOf('click'), joined }]
  return { kind: 'epoch', accounting, samples: 10, lag: [], watermark: Number.NEGATIVE_INFINITY }
}

const promtool = spawnSync('promtool', ['--version']).status === 0

describe('MetricsRegistry', () => {
  test('every report ends in metrics with the reported values', async () => {
    const registry = freshRegistry()
    for (const report of EVERY_REPORT) registry.record(report)
    expect(await linesOf(registry)).toEqual(
      expect.arrayContaining([
        'millrace_events_total{kind="click"} 1000',
        'millrace_events_joined_total{kind="impression"} 900',
        'millrace_events_duplicate_total{kind="click"} 20',
        'millrace_events_late_total{kind="click",reason="after-window"} 3',
        'millrace_events_orphan_total{kind="click"} 2',
        'millrace_dead_letters_total{kind="click",reason="undecodable"} 4',
        'millrace_open_events{kind="click"} 65',
        'millrace_events_unaccounted{kind="click"} 0',
        'millrace_samples_total 900',
        'millrace_samples_missing_total 3',
        'millrace_consumer_lag_records{topic="clicks",partition="1"} 12',
        'millrace_watermark_timestamp_seconds 1772452800',
        'millrace_training_steps_total 7',
        'millrace_training_step_duration_seconds_count 1',
        'millrace_learning_rate_ratio 0.4',
        'millrace_gradient_cosine_minimum -0.25',
        'millrace_task_weight{task="like"} 0.5',
        'millrace_task_auc{task="click"} 0.71234',
        'millrace_task_logloss{task="click"} 0.43',
        'millrace_task_normalized_entropy{task="click"} 0.86',
        'millrace_task_calibration_ratio{task="click"} 1.02',
        'millrace_task_label_rate{task="click"} 0.2',
        'millrace_task_delayed_auc{task="click"} 0.7',
        'millrace_task_delayed_calibration_ratio{task="like"} 1.02',
        'millrace_task_frozen{task="click"} 1',
        'millrace_task_frozen{task="like"} 0',
        'millrace_label_anomalies_total{task="click"} 2',
        'millrace_task_lost_label_ratio{task="click"} 0.031',
        'millrace_drift_alarms_total{task="click",signal="loss",detector="adwin"} 3',
        'millrace_feature_shift_psi{feature="user"} 0.31',
        'millrace_arm_samples_total{arm="green",use="left-out"} 300',
        'millrace_arm_task_auc{arm="blue",task="click"} 0.72',
        'millrace_table_rows{table="user"} 10',
        'millrace_table_bytes{table="user"} 4096',
        'millrace_table_payload_bytes{table="user"} 320',
        'millrace_model_version 3',
        'millrace_published_updates_total{update="full"} 1',
        'millrace_published_bytes_total{update="full"} 120000',
        'millrace_freshness_seconds 4.5',
        'millrace_gate_verdicts_total{outcome="held"} 1',
        'millrace_gate_verdicts_total{outcome="published"} 0',
        'millrace_gate_findings_total{rule="calibration"} 1',
        'millrace_gate_findings_total{rule="label-outage"} 0',
        'millrace_gate_held_versions 2',
        'millrace_engine_info{engine="tfjs-wasm",reason="the native library is \\"not\\" here\\n"} 1',
        `millrace_build_info{version="0.1.0",node="${process.version}"} 1`,
      ]),
    )
  })

  test('counts totals once, however often they are reported, and follows a restored state back', async () => {
    const registry = freshRegistry()
    registry.record(epochWith(100))
    registry.record(epochWith(100))
    registry.record(epochWith(250))
    expect(await linesOf(registry)).toContain('millrace_events_joined_total{kind="click"} 250')
    registry.record(epochWith(120))
    expect(await linesOf(registry)).toContain('millrace_events_joined_total{kind="click"} 120')
  })

  test('a figure that loses its value disappears instead of staying at the old one', async () => {
    const registry = freshRegistry()
    const unknown = taskQuality('click', { auc: undefined })
    registry.record({ kind: 'quality', tasks: [taskQuality('click')] })
    registry.record({ kind: 'delayed', tasks: [taskQuality('click')] })
    registry.record({ kind: 'quality', tasks: [unknown] })
    registry.record({ kind: 'delayed', tasks: [unknown] })
    const lines = await linesOf(registry)
    expect(lines.filter((line) => /^millrace_task_(delayed_)?auc/.test(line))).toEqual([])
    expect(lines).toContain('millrace_task_logloss{task="click"} 0.43')
  })

  test('a reason that is invented without end stays within the bound of its label', async () => {
    const registry = freshRegistry()
    const deadLetters = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`r${i}`, 2]))
    const accounting = [{ ...accountingOf('click'), deadLetters, in: 1995 }]
    registry.record({ ...epochWith(0), accounting })
    const lines = (await linesOf(registry)).filter((line) => line.includes('dead_letters_total'))
    expect(lines.length).toBeLessThanOrEqual(65)
    const sum = lines.reduce((all, line) => all + Number(line.split(' ')[1]), 0)
    expect(sum).toBe(1000)
  })

  test('a gauge that nobody set has no series, and a cosine that is gone has none again', async () => {
    const registry = freshRegistry()
    const unset = /^millrace_(watermark|freshness|model_version|gradient|gate_held)/
    expect((await linesOf(registry)).filter((line) => unset.test(line))).toEqual([])
    const step = {
      kind: 'step',
      steps: 1,
      seconds: 0.01,
      coefficients: [1, 1],
      rateFactor: 1,
    } as const
    registry.record({ ...step, minimumCosine: 0.5 })
    expect(await linesOf(registry)).toContain('millrace_gradient_cosine_minimum 0.5')
    registry.record({ ...step, steps: 2, minimumCosine: undefined })
    expect((await linesOf(registry)).filter((line) => unset.test(line))).toEqual([])
  })

  test('two registries in one process share nothing', async () => {
    const first = freshRegistry()
    const second = freshRegistry()
    first.record(epochWith(100))
    expect((await linesOf(second)).join()).not.toContain('kind="click"')
  })

  test.runIf(promtool)('passes promtool check metrics, process metrics included', async () => {
    const registry = freshRegistry(true)
    for (const report of EVERY_REPORT) registry.record(report)
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: await registry.expose() })
    expect(`${checked.stdout}${checked.stderr}`).toBe('')
    expect(checked.status).toBe(0)
  })

  test('names follow the rules that promtool checks, also where promtool is not installed', async () => {
    const registry = freshRegistry(true)
    for (const report of EVERY_REPORT) registry.record(report)
    const text = await registry.expose()
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
    expect(types.length).toBeGreaterThan(30)
    for (const [, name = '', type] of types) {
      expect(name).toMatch(/^(millrace|process|nodejs)_[a-z0-9_]+$/)
      expect(name.endsWith('_total'), name).toBe(type === 'counter')
      expect(text).toMatch(new RegExp(`^# HELP ${name} \\S`, 'm'))
    }
  })
})

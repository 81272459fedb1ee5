/** @file Rules, alerts and dashboard: promtool accepts them, every alert fires in its fault, every name is one that is exposed. */

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { MetricsRegistry } from '../../src/observe/registry.ts'
import { ServeRegistry } from '../../src/observe/serve-registry.ts'
import { UPDATE_REFUSALS } from '../../src/serve/scorer-report.ts'
import { anchorsOf } from '../docs/markdown.ts'
import { EVERY_REPORT } from '../observe/reports.ts'
import { EVERY_SCORER_REPORT } from '../observe/scorer-reports.ts'
import { writtenCompose } from './compose-file.ts'
import { alerts, dashboard, labelsIn, panelQueries, rules, ruleTests, seriesIn } from './rules.ts'

const CONFIG = 'deploy/prometheus/prometheus.yml'
const promtool = spawnSync('promtool', ['--version']).status === 0
if (!promtool) console.error('\n*** SKIPPED: promtool is absent (Debian package prometheus) ***\n')

/** Fails the test with promtool's own words. */
function promtoolPasses(...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' })
  expect(status, `${stdout}${stderr}`).toBe(0)
}

test('promtool is there where it must be', () => {
  if (process.env.CI) expect(promtool).toBe(true)
})

describe.skipIf(!promtool)('promtool', () => {
  test('check config accepts the configuration with its rules', () => {
    promtoolPasses('check', 'config', CONFIG)
  })

  test('check rules finds nothing, not even a doubled rule', () => {
    const files = readdirSync('deploy/prometheus/rules')
    expect(files.length).toBeGreaterThan(1)
    const paths = files.map((file) => `deploy/prometheus/rules/${file}`)
    promtoolPasses('check', 'rules', '--lint=all', '--lint-fatal', ...paths)
  })

  test.each(readdirSync('deploy/prometheus/tests'))('test rules passes for %s', (file) => {
    promtoolPasses('test', 'rules', `deploy/prometheus/tests/${file}`)
  })
})

describe('every alert', () => {
  const names = alerts().map(({ alert }) => alert)
  const runbook = readFileSync('docs/runbook.md', 'utf8')

  test('has a name of its own', () => {
    expect(names.length).toBeGreaterThan(20)
    expect(new Set(names).size).toBe(names.length)
  })

  test('fires in the test of its fault and is silent in the test of a good day', () => {
    const fired = ruleTests('faults.yml').flatMap(({ alert_rule_test = [] }) =>
      alert_rule_test.filter(({ exp_alerts = [] }) => exp_alerts.length > 0),
    )
    expect([...new Set(fired.map(({ alertname }) => alertname))].sort()).toEqual([...names].sort())
    const [day] = ruleTests('healthy.yml')
    const silent = (day?.alert_rule_test ?? []).filter(
      ({ exp_alerts = [] }) => exp_alerts.length === 0,
    )
    expect(silent.map(({ alertname }) => alertname).sort()).toEqual([...names].sort())
  })

  test.each(alerts())('$alert says how grave it is, what is wrong and what to do', (alert) => {
    expect(alert.labels?.severity).toMatch(/^(warning|critical)$/)
    expect(alert.annotations?.summary).toMatch(/\{\{ \$(labels|value)/)
    expect(alert.annotations?.runbook).toBe(`docs/runbook.md#${alert.alert.toLowerCase()}`)
    expect(anchorsOf('docs/runbook.md')).toContain(alert.alert.toLowerCase())
  })

  test('has its section in the runbook, and no section is about an alert that is gone', () => {
    const sections = [...runbook.matchAll(/^### (.+)$/gm)].map(([, title = '']) => title)
    expect(sections.sort()).toEqual([...names].sort())
  })

  test('reason for which a scorer refuses an update is explained', () => {
    const section = runbook.split('### MillraceUpdatesRefused')[1]?.split('###')[0] ?? ''
    const explained = [...section.matchAll(/^\| `([a-z]+)`/gm)].map(([, reason]) => reason)
    expect(explained.sort()).toEqual(Object.keys(UPDATE_REFUSALS).sort())
  })

  test('that the runbook mentions is one that there is', () => {
    const mentioned = [...runbook.matchAll(/\bMillrace[A-Z]\w+/g)].map(([name]) => name)
    expect(mentioned.filter((name) => !names.includes(name))).toEqual([])
  })
})

/** What the two programs expose when they have reported everything once: name -> labels. */
async function exposed(): Promise<Map<string, Set<string>>> {
  const learner = new MetricsRegistry({ tasks: ['click', 'like'], version: '0.1.0' })
  for (const report of EVERY_REPORT) learner.record(report)
  const scorer = new ServeRegistry({ version: '0.1.0', clock: { now: () => 0 } })
  for (const report of EVERY_SCORER_REPORT) scorer.record(report)
  const text = `${await learner.expose()}\n${await scorer.expose()}`
  const series = new Map<string, Set<string>>()
  for (const [, name = '', inside = ''] of text.matchAll(/^([a-z]\w*)(?:\{(.*)\})? \S+$/gm)) {
    const labels = series.get(name) ?? new Set()
    for (const [, label = ''] of inside.matchAll(/(\w+)="/g)) labels.add(label)
    series.set(name, labels)
  }
  // A histogram with labels has no series before its first value, such as the first collection of garbage.
  for (const [, name = ''] of text.matchAll(/^# TYPE (\S+) histogram$/gm)) {
    for (const part of ['bucket', 'sum', 'count']) {
      const known = series.get(`${name}_${part}`) ?? new Set()
      series.set(`${name}_${part}`, known.add('le'))
    }
  }
  return series
}

describe('every query', () => {
  const recorded = rules().flatMap(({ record }) => record ?? [])
  const queries = [
    ...rules().map(({ alert, record, expr }) => ({ title: alert ?? record ?? '', expr })),
    ...panelQueries(),
  ]
  /** Made by Prometheus itself. */
  const own = ['up', 'ALERTS']

  test('is found', () => {
    expect(panelQueries().length).toBeGreaterThan(50)
    expect(
      seriesIn(
        'sum by (kind) (rate(a_total{kind="b"}[5m])) / (c:d:e > 0) unless on (job) f offset 1d > 100e6',
      ),
    ).toEqual(['a_total', 'c:d:e', 'f'])
    expect(labelsIn('sum by (kind, job) (a{b=~"c|d", e="f"}) and on (g) h')).toEqual([
      'b',
      'e',
      'kind',
      'job',
      'g',
    ])
  })

  test('selects series that the programs expose or that are recorded', async () => {
    const known = new Set([...(await exposed()).keys(), ...recorded, ...own])
    const unknown = queries.flatMap(({ title, expr }) => {
      const names = seriesIn(expr)
      expect(names, title).not.toEqual([])
      return names.filter((name) => !known.has(name)).map((name) => `${title}: ${name}`)
    })
    expect(unknown).toEqual([])
  })

  test('uses labels that those series have', async () => {
    const known = new Set(['job', 'instance', 'alertstate', 'alertname'])
    for (const labels of (await exposed()).values()) for (const label of labels) known.add(label)
    const unknown = queries.flatMap(({ title, expr }) =>
      labelsIn(expr)
        .filter((label) => !known.has(label))
        .map((label) => `${title}: ${label}`),
    )
    expect(unknown).toEqual([])
  })

  test('leaves no metric of ours unseen', async () => {
    const used = new Set(queries.flatMap(({ expr }) => seriesIn(expr)))
    const ours = [...(await exposed()).keys()].filter(
      (name) => name.startsWith('millrace_') && !/_(sum|count)$/.test(name),
    )
    expect(ours.length).toBeGreaterThan(30)
    expect(ours.filter((name) => !used.has(name))).toEqual([])
  })
})

describe('the deployment', () => {
  test('scrapes the services of docker-compose.yml where they listen', () => {
    const { scrape_configs } = parse(readFileSync(CONFIG, 'utf8')) as {
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[]
    }
    const { services } = writtenCompose()
    const jobs = scrape_configs.map(({ job_name }) => job_name)
    for (const [job, service] of [
      ['millrace-learner', 'learner'],
      ['millrace-scorer', 'scorer'],
    ] as const) {
      expect(jobs).toContain(job)
      const targets = scrape_configs.find(({ job_name }) => job_name === job)?.static_configs[0]
        ?.targets
      const port = services[service]?.ports?.[0]?.split(':').at(-1)
      expect(targets).toEqual([`${service}:${port}`])
    }
  })

  test('every job that a query names is scraped', () => {
    const text = [...rules(), ...panelQueries()].map(({ expr }) => expr).join('\n')
    const variables = dashboard()
      .templating.list.map(({ definition = '' }) => definition)
      .join('\n')
    const named = [...`${text}\n${variables}`.matchAll(/job(?:=~|=)"([^"]+)"/g)].map(
      ([, job = '']) => job,
    )
    expect(new Set(named)).toEqual(new Set(['millrace-learner', 'millrace-scorer', 'millrace-.*']))
  })

  test('Grafana finds its data source and its dashboards where they are mounted', () => {
    const { services } = writtenCompose()
    const sources = parse(
      readFileSync('deploy/grafana/provisioning/datasources/prometheus.yml', 'utf8'),
    )
    expect(sources.datasources[0].url).toBe('http://prometheus:9090')
    const providers = parse(
      readFileSync('deploy/grafana/provisioning/dashboards/millrace.yml', 'utf8'),
    )
    const folder = providers.providers[0].options.path
    expect(services.grafana?.volumes).toContain(`./deploy/grafana/dashboards:${folder}:ro`)
    const home = services.grafana?.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH
    expect(home).toBe(`${folder}/millrace.json`)
  })
})

describe('the dashboard', () => {
  const { panels } = dashboard()

  test('follows the path of the data, row by row', () => {
    const titles = panels.filter(({ type }) => type === 'row').map(({ title }) => title)
    expect(titles).toEqual([
      'At a glance',
      'Data',
      'Join',
      'Learning',
      'Quality',
      'Table',
      'Publish',
      'Serving',
      'Process',
    ])
  })

  test('has panels with ids of their own that do not lie over each other', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const taken = new Map<string, string>()
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.get(`${x},${y}`), title).toBeUndefined()
          taken.set(`${x},${y}`, title)
        }
      }
    }
  })

  test('shows every panel that the runbook sends people to', () => {
    const runbook = readFileSync('docs/runbook.md', 'utf8')
    const titles = new Set(panels.map(({ title }) => title))
    const log = new Set(['version in use'])
    const named = [...runbook.matchAll(/(?<!\*)\*([^*\n]+)\*(?!\*)/g)].map(([, name = '']) => name)
    expect(named.length).toBeGreaterThan(15)
    expect(named.filter((name) => !titles.has(name) && !log.has(name))).toEqual([])
  })
})

/** @file What the deployment tests read of the Prometheus rules, their tests and the Grafana dashboard. */

import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'

/** A recording rule has `record`, an alert has `alert`. */
export interface Rule {
  readonly record?: string
  readonly alert?: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export interface Alert extends Rule {
  readonly alert: string
}

const RULES = 'deploy/prometheus/rules'

/** Every rule of every file. */
export function rules(): Rule[] {
  return readdirSync(RULES).flatMap((file) => {
    const { groups } = parse(readFileSync(`${RULES}/${file}`, 'utf8')) as {
      groups: { rules: Rule[] }[]
    }
    return groups.flatMap((group) => group.rules)
  })
}

export function alerts(): Alert[] {
  return rules().flatMap((rule) => (rule.alert === undefined ? [] : { ...rule, alert: rule.alert }))
}

/** One case of `promtool test rules`. */
export interface RuleTest {
  readonly name: string
  readonly alert_rule_test?: readonly {
    readonly alertname: string
    readonly exp_alerts?: readonly unknown[]
  }[]
}

export function ruleTests(file: string): RuleTest[] {
  const text = readFileSync(`deploy/prometheus/tests/${file}`, 'utf8')
  return (parse(text) as { tests: RuleTest[] }).tests
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly targets?: readonly { readonly expr: string }[]
}

interface Dashboard {
  readonly uid: string
  readonly panels: readonly Panel[]
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly definition?: string }[]
  }
  readonly annotations: { readonly list: readonly { readonly expr: string }[] }
}

export function dashboard(): Dashboard {
  return JSON.parse(readFileSync('deploy/grafana/dashboards/millrace.json', 'utf8')) as Dashboard
}

/** Every query of the dashboard, with all instances in the place of its variables. */
export function panelQueries(): { readonly title: string; readonly expr: string }[] {
  return dashboard().panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ title, expr: expr.replaceAll(/\$(learner|scorer)\b/g, '.*') })),
  )
}

const KEYWORDS = new Set([
  'and',
  'or',
  'unless',
  'bool',
  'offset',
  'on',
  'by',
  'without',
  'ignoring',
])

/** Names of the series that a PromQL expression selects. */
export function seriesIn(expr: string): string[] {
  const plain = expr
    .replaceAll(/"[^"]*"/g, '""')
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
  const names = plain.matchAll(/(?<![\w:.])[a-zA-Z_:][\w:]*(?!\w*\s*\()/g)
  return [...names].map(([name]) => name).filter((name) => !KEYWORDS.has(name))
}

/** Names of the labels that an expression matches on or groups by. */
export function labelsIn(expr: string): string[] {
  const matchers = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside = '']) =>
    [...inside.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = '']) => label),
  )
  const groups = [...expr.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)].flatMap(
    ([, inside = '']) => inside.split(',').map((label) => label.trim()),
  )
  return [...matchers, ...groups].filter((label) => label !== '')
}

/** @file The page's tables: quality, events, versions, and what is inside the model. */

import { total, unaccounted } from '../src/observe/accounting.ts'
import type { Status } from '../src/observe/status.ts'
import { byId, element, fillTable } from './dom.ts'
import { bytes, clock, count, duration, figure, percent } from './format.ts'

/** Fills every table from one status. */
export function showTables(status: Status): void {
  showTasks(status)
  showEvents(status)
  showVersions(status)
  showCosines(status)
  showGates(status)
  showLayers(status)
  showMemory(status)
  showDrift(status)
}

function showTasks({ tasks, delayed, weights }: Status): void {
  fillTable(
    byId('tasks'),
    [
      'task',
      'AUC',
      'at opening',
      'normalized entropy',
      'at opening',
      'calibration',
      'at opening',
      'label rate',
      'weight',
      'positives',
      'samples',
    ],
    tasks.map(({ task, window, total }, index) => {
      const opening = delayed[index]?.window
      return [
        task,
        figure(window.auc),
        figure(opening?.auc),
        figure(window.normalizedEntropy),
        figure(opening?.normalizedEntropy),
        figure(window.calibrationRatio),
        figure(opening?.calibrationRatio),
        percent(window.labelRate),
        figure(weights[index]),
        count(total.positives),
        count(total.samples),
      ]
    }),
  )
}

/** Columns of the events table; each is a part of the bar. */
const FATES = ['joined', 'open', 'duplicates', 'late', 'orphans', 'dead letters', 'erased'] as const

function showEvents({ accounting }: Status): void {
  const rows = accounting.map((input) => {
    const { joined, open, duplicates, late, orphans, deadLetters, erased } = input
    const fates = [joined, open, duplicates, total(late), orphans, total(deadLetters), erased]
    const missing = unaccounted(input)
    return [
      input.topic,
      count(input.in),
      ...fates.map((fate, index) => withReasons(count(fate), REASONS[FATES[index] ?? '']?.(input))),
      missing === 0 ? 'none' : element('b', count(missing), 'bad'),
      bar(input.in, fates),
    ]
  })
  fillTable(byId('events'), ['topic', 'in', ...FATES, 'unaccounted', 'shares'], rows)
  showLegend()
}

/** The colours of the bars, once. */
function showLegend(): void {
  const host = byId('fates')
  if (host.childElementCount > 0) return
  host.append(
    ...FATES.map((fate, index) =>
      element('span', [element('i', '', `fate-${index}`), document.createTextNode(fate)]),
    ),
  )
}

type Input = Status['accounting'][number]

const REASONS: Readonly<Record<string, (input: Input) => Readonly<Record<string, number>>>> = {
  late: ({ late }) => late,
  'dead letters': ({ deadLetters }) => deadLetters,
}

/** The count, and under it the reasons that it is made of. */
function withReasons(text: string, reasons: Readonly<Record<string, number>> = {}): string | Node {
  const known = Object.entries(reasons).filter(([, times]) => times > 0)
  if (known.length === 0) return text
  const listed = known.map(([reason, times]) => `${reason} ${count(times)}`).join(', ')
  return element('span', [document.createTextNode(text), element('small', listed)])
}

function bar(whole: number, parts: readonly number[]): Node {
  const pieces = parts.map((part, index) => {
    const piece = element('i', '', `fate-${index}`)
    piece.style.flexGrow = String(whole > 0 ? part / whole : 0)
    piece.title = `${FATES[index]}: ${percent(whole > 0 ? part / whole : 0)}`
    return piece
  })
  const made = element('span', pieces, 'bar')
  made.setAttribute('aria-hidden', 'true')
  return made
}

function showVersions({ versions, held }: Status): void {
  const published = versions.map(({ sequence, update, bytes: size, at, ...version }) => ({
    at,
    cells: [
      String(sequence),
      update,
      'passed',
      bytes(size),
      clock(at),
      duration(version.freshnessSeconds),
      element('code', version.sha256.slice(0, 12)),
    ],
  }))
  const refused = held.map(({ sequence, at, findings }) => {
    const reasons = findings.map(({ message }) => message).join('; ')
    const verdict = element('span', [element('b', 'held', 'bad'), element('small', reasons)])
    return { at, cells: [String(sequence), '–', verdict, '–', clock(at), '–', '–'] }
  })
  const rows = [...published, ...refused].sort((a, b) => b.at - a.at).map(({ cells }) => cells)
  const titles = ['version', 'kind', 'gate', 'size', 'at', 'after the event', 'sha256']
  fillTable(byId('versions'), titles, rows)
}

function showCosines({ tasks, examined }: Status): void {
  const names = tasks.map(({ task }) => task)
  fillTable(
    byId('cosines'),
    ['task', ...names],
    names.map((name, row) => [
      name,
      ...names.map((_, column) => {
        const value = examined?.cosines[row * names.length + column]
        return heatCell(value, value === undefined ? '–' : value.toFixed(2), row === column)
      }),
    ]),
  )
}

function showGates({ tasks, examined }: Status): void {
  const gates = examined?.gates ?? []
  const experts = Math.max(0, ...gates.map(({ shares }) => shares.length))
  fillTable(
    byId('gates'),
    ['gate', ...Array.from({ length: experts }, (_, k) => `expert ${k}`)],
    gates.map(({ gate, shares }) => [
      gateName(
        gate,
        tasks.map(({ task }) => task),
      ),
      ...shares.map((share) => heatCell(share, percent(share))),
    ]),
  )
}

/** `gate.task.1` is the gate of the second task. */
function gateName(gate: string, tasks: readonly string[]): string {
  return gate.replace(/task\.(\d+)$/, (whole, index) => tasks[Number(index)] ?? whole)
}

function showLayers({ examined }: Status): void {
  fillTable(
    byId('layers'),
    ['layer', 'units', 'dead', 'share'],
    (examined?.layers ?? []).map(({ layer, units, dead }) => {
      const share = percent(dead / units)
      return [
        layer,
        count(units),
        count(dead),
        dead > units / 2 ? element('b', share, 'bad') : share,
      ]
    }),
  )
}

/** Features that moved most; the others are in /metrics. */
const MOST_MOVED = 5

function showDrift({ drift }: Status): void {
  const signals = new Map<string, number>()
  for (const { task, signal, alarms } of drift?.totals ?? []) {
    const name = `${signal.replaceAll('_', ' ')} of ${task}`
    signals.set(name, (signals.get(name) ?? 0) + alarms)
  }
  const moved = (drift?.features ?? [])
    .flatMap(({ feature, psi }) => (psi === undefined ? [] : [{ feature, psi }]))
    .sort((a, b) => b.psi - a.psi)
    .slice(0, MOST_MOVED)
  fillTable(
    byId('drift'),
    ['what', 'alarms', 'moved by'],
    [
      ...Array.from(signals, ([name, alarms]) => [name, count(alarms), '–']),
      ...moved.map(({ feature, psi }) => [feature, '–', `PSI ${psi.toFixed(2)}`]),
    ],
  )
}

function showMemory({ tables }: Status): void {
  fillTable(
    byId('memory'),
    ['table', 'rows', 'memory', 'of it values'],
    tables.map(({ table, rows, bytes: all, payloadBytes }) => [
      table,
      count(rows),
      bytes(all),
      bytes(payloadBytes),
    ]),
  )
}

/** A cell whose ground is the stronger the farther its value is from 0; the sign has its own colour. */
function heatCell(value: number | undefined, text: string, quiet = false): HTMLTableCellElement {
  const cell = element('td', text)
  if (value === undefined || quiet) return cell
  cell.className = value < 0 ? 'minus' : 'plus'
  cell.style.setProperty('--heat', `${Math.round(Math.min(1, Math.abs(value)) * 70)}%`)
  return cell
}

/** @file The script of the status page: reads `/status` each second and writes plain text into the tables. */

/** Never touches innerHTML: names from events or the job file stay text. */
export const PAGE_SCRIPT = `'use strict'
const byId = (id) => document.getElementById(id)
const NONE = '\\u2013'
const isNumber = (value) => typeof value === 'number'
const count = (value) => isNumber(value) ? Math.round(value).toLocaleString('en') : NONE
const figure = (value) => isNumber(value) ? value.toFixed(4) : NONE
const percent = (value) => isNumber(value) ? (100 * value).toFixed(2) + '%' : NONE
const seconds = (value) => isNumber(value) ? value.toFixed(1) + ' s' : NONE
const time = (value) => isNumber(value) ? new Date(value).toISOString().replace('T', ' ').slice(0, 19) : NONE
const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0)

function element(name, text) {
  const made = document.createElement(name)
  made.textContent = text
  return made
}

function fillList(id, entries) {
  byId(id).replaceChildren(...entries.map(([term, text]) => {
    const pair = document.createElement('div')
    pair.append(element('dt', term), element('dd', text))
    return pair
  }))
}

function fillTable(id, titles, rows) {
  const head = document.createElement('thead')
  const titleRow = head.insertRow()
  for (const title of titles) {
    const cell = element('th', title)
    cell.scope = 'col'
    titleRow.append(cell)
  }
  const body = document.createElement('tbody')
  for (const row of rows) {
    const line = body.insertRow()
    for (const text of row) line.append(element('td', text))
  }
  byId(id).replaceChildren(head, body)
}

function show(status) {
  byId('job').textContent = status.job
  fillList('pace', [
    ['events per second', count(status.eventsPerSecond)],
    ['samples per second', count(status.samplesPerSecond)],
    ['events', count(status.events)],
    ['samples', count(status.samples)],
    ['records behind', count(status.lagRecords)],
    ['watermark (UTC)', time(status.watermark)],
  ])
  fillTable('tasks', ['task', 'AUC', 'normalized entropy', 'log loss', 'calibration', 'label rate', 'samples'],
    status.tasks.map(({ task, window, total }) => [task, figure(window.auc), figure(window.normalizedEntropy),
      figure(window.logloss), figure(window.calibrationRatio), percent(window.labelRate), count(total.samples)]))
  fillTable('events', ['topic', 'in', 'joined', 'duplicates', 'late', 'orphans', 'dead letters', 'open'],
    status.accounting.map((input) => [input.topic, count(input.in), count(input.joined), count(input.duplicates),
      count(sum(input.late)), count(input.orphans), count(sum(input.deadLetters)), count(input.open)]))
  const version = status.version
  fillList('model', [
    ['version', version ? String(version.sequence) + ' (' + version.update + ')' : 'none yet'],
    ['size', version ? count(version.bytes) + ' bytes' : NONE],
    ['event to published', seconds(status.freshnessSeconds)],
    ['training steps', count(status.steps)],
    ['engine', status.engine],
    ['chosen because', status.engineReason],
  ])
}

async function refresh() {
  const connection = byId('connection')
  try {
    const response = await fetch('/status', { cache: 'no-store' })
    if (!response.ok) throw new Error('HTTP ' + response.status)
    show(await response.json())
    connection.textContent = 'live'
    connection.className = ''
  } catch {
    connection.textContent = 'no answer from the learner; trying again'
    connection.className = 'bad'
  }
  setTimeout(refresh, 1000)
}

refresh()
`

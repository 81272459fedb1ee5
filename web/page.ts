/** @file The page of a running learner: listens to its status stream and shows what comes. Bundled to `dist/web/page.js`. */

import 'uplot/dist/uPlot.min.css'
import './page.css'
import type { Status } from '../src/observe/status.ts'
import { CalibrationChart } from './calibration-chart.ts'
import { byId, element, setText } from './dom.ts'
import { compact, count, duration, figure, percent } from './format.ts'
import { type Line, LineChart, type LineChartOptions } from './line-chart.ts'
import { LiveHistory, SPANS } from './live-history.ts'
import { showTables } from './tables.ts'
import { Tiles } from './tiles.ts'
import { type Verdict, verdictOf } from './verdict.ts'

/** A chart and the lines that it has for a status. */
interface TimeChart extends LineChartOptions {
  readonly host: string
  readonly lines: (tasks: readonly string[]) => readonly Line[]
}

/** One line per task. */
const perTask =
  (prefix: string) =>
  (tasks: readonly string[]): readonly Line[] =>
    tasks.map((task) => ({ key: `${prefix}/${task}`, label: task }))

/** One line per task, and beside it the one of predictions at opening. */
const perTaskAndDelayed =
  (prefix: string) =>
  (tasks: readonly string[]): readonly Line[] => [
    ...perTask(prefix)(tasks),
    ...tasks.map((task, beside) => ({
      key: `delayed_${prefix}/${task}`,
      label: `${task} at opening`,
      beside,
    })),
  ]

const only =
  (...lines: readonly (readonly [key: string, label: string])[]) =>
  (): readonly Line[] =>
    lines.map(([key, label]) => ({ key, label }))

const pairs = (tasks: readonly string[]): readonly Line[] =>
  tasks.flatMap((task, row) =>
    tasks
      .slice(row + 1)
      .map((other) => ({ key: `cosine/${task}/${other}`, label: `${task} · ${other}` })),
  )

const ofQuality = { host: 'quality-charts' }
const ofFreshness = { host: 'fresh-charts', fromZero: true, peaks: true }
const ofInside = { host: 'inside-charts' }
const BY_TASK: readonly TimeChart[] = [
  {
    ...ofQuality,
    title: 'AUC',
    hint: 'ranking; higher is better',
    format: figure,
    lines: perTaskAndDelayed('auc'),
  },
  {
    ...ofQuality,
    title: 'Normalized entropy',
    hint: 'below 1 beats the base rate',
    format: figure,
    lines: perTaskAndDelayed('entropy'),
  },
  {
    ...ofQuality,
    title: 'Calibration',
    hint: 'predicted over observed; 1 is right',
    format: figure,
    include: 1,
    lines: perTaskAndDelayed('calibration'),
  },
  {
    ...ofQuality,
    title: 'Label rate',
    hint: 'positives over labelled samples',
    format: percent,
    fromZero: true,
    lines: perTask('label_rate'),
  },
]
const OTHERS: readonly TimeChart[] = [
  {
    ...ofFreshness,
    title: 'Pace',
    hint: 'per second',
    format: compact,
    lines: only(['events_per_second', 'events'], ['samples_per_second', 'samples']),
  },
  {
    ...ofFreshness,
    title: 'Behind',
    hint: 'records not read yet',
    format: compact,
    lines: only(['lag_records', 'records']),
  },
  {
    ...ofFreshness,
    title: 'Age',
    hint: 'of the last version, and from event to published',
    format: duration,
    lines: only(['version_age_seconds', 'version'], ['freshness_seconds', 'event to published']),
  },
  {
    ...ofInside,
    title: 'Task weights',
    hint: 'of each gradient in the shared part',
    format: figure,
    fromZero: true,
    lines: perTask('weight'),
  },
  {
    ...ofInside,
    title: 'Gradient cosines',
    hint: 'of each pair of tasks',
    format: figure,
    include: 0,
    lines: pairs,
  },
  {
    ...ofInside,
    title: 'Rows',
    hint: 'of the embedding table',
    format: count,
    fromZero: true,
    lines: only(['rows', 'rows']),
  },
]

/** No message for so long: the learner is gone or stuck. */
const SILENT_MS = 6_000

const makeCharts = (all: readonly TimeChart[]) =>
  all.map((options) => ({ options, chart: new LineChart(byId(options.host), options) }))

class Page {
  readonly #history = new LiveHistory()
  readonly #tiles = new Tiles()
  readonly #charts = [...makeCharts(BY_TASK)]
  readonly #calibration = new CalibrationChart(byId('quality-charts'))
  #status: Status | undefined
  #heardAt = performance.now()

  start(): void {
    this.#charts.push(...makeCharts(OTHERS))
    this.#addSpanChoice()
    const stream = new EventSource('/stream')
    stream.addEventListener('open', () => void this.#history.fetch())
    stream.addEventListener('message', ({ data }) => void this.#take(JSON.parse(String(data))))
    setInterval(() => this.#noticeSilence(), 1000)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#redraw())
  }

  async #take(status: Status): Promise<void> {
    this.#heardAt = performance.now()
    this.#status = status
    await this.#history.take(status)
    this.#show(status)
  }

  #show(status: Status): void {
    setText(byId('job'), status.job)
    setText(byId('engine'), `${status.engine}, ${count(status.steps)} steps`)
    byId('engine').title = status.engineReason
    showVerdict(verdictOf(status, this.#history.firsts('auc/')))
    const tasks = status.tasks.map(({ task }) => task)
    this.#tiles.update(status, this.#history.span)
    for (const { options, chart } of this.#charts) {
      chart.update(options.lines(tasks), this.#history.span)
    }
    this.#calibration.update(
      tasks.map((task, index) => ({ task, bins: status.reliability[index] ?? [] })),
    )
    showTables(status)
  }

  #noticeSilence(): void {
    const silentMs = performance.now() - this.#heardAt
    if (silentMs < SILENT_MS) return
    showVerdict({
      state: 'bad',
      title: 'No word from the learner',
      reasons: [{ state: 'bad', text: `none for ${duration(silentMs / 1000)}; trying again` }],
    })
  }

  #addSpanChoice(): void {
    const choices = SPANS.map(({ name, words }) => {
      const input = element('input')
      input.type = 'radio'
      input.name = 'span'
      input.value = name
      input.checked = name === this.#history.name
      input.addEventListener('change', async () => {
        await this.#history.choose(name)
        if (this.#status !== undefined) this.#show(this.#status)
      })
      return element('label', [input, document.createTextNode(words)])
    })
    byId('spans').append(...choices)
  }

  #redraw(): void {
    this.#tiles.redraw()
    for (const { chart } of this.#charts) chart.redraw()
    this.#calibration.redraw()
  }
}

function showVerdict({ state, title, reasons }: Verdict): void {
  byId('verdict').dataset.state = state
  document.title = `${title} · Millrace`
  setText(byId('verdict-title'), title)
  byId('verdict-reasons').replaceChildren(
    ...reasons.map((reason) => {
      const item = element('li', reason.text)
      item.dataset.state = reason.state
      return item
    }),
  )
}

new Page().start()

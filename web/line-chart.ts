/** @file One chart over time: uPlot, with a summary for screen readers and a cursor that the arrow keys move. */

import uPlot from 'uplot'
import type { HistorySpan } from '../src/observe/history.ts'
import { element, setText } from './dom.ts'
import { clock } from './format.ts'
import { cssColour, inkBeside, inkOf } from './palette.ts'

/** One line. */
export interface Line {
  /** Series name in the history. */
  readonly key: string
  readonly label: string
  /** Drawn dashed, in the colour of the line with this index. */
  readonly beside?: number
}

/** What a chart shows. */
export interface LineChartOptions {
  readonly title: string
  readonly hint: string
  readonly format: (value: number | null | undefined) => string
  /** A value that must be seen: 1 for a ratio. */
  readonly include?: number
  /** Lines from here upwards. */
  readonly fromZero?: boolean
  /** Every peak is shown whole: it is what one looks for. */
  readonly peaks?: boolean
}

const HEIGHT = 170
/** Pixels that a time with its seconds needs. */
const TIME_SPACE = 72
/** Quantiles of what is drawn that the axis reaches. */
const SHOWN = { from: 0.02, to: 0.98 }
/** Charts with this key move their cursors together. */
const SYNC = 'time'

/** Mutable; `update` draws. */
export class LineChart {
  readonly #options: LineChartOptions
  readonly #plotHost = element('div', '', 'plot')
  readonly #spoken = element('p', '', 'spoken')
  #lines: readonly Line[] = []
  #plot: uPlot | undefined
  #span: HistorySpan = { times: [], series: {} }

  constructor(host: HTMLElement, options: LineChartOptions) {
    this.#options = options
    const title = element('b', options.title)
    const figure = element('figure', [
      element('figcaption', [title, document.createTextNode(` ${options.hint}`)]),
      this.#plotHost,
      this.#spoken,
    ])
    this.#plotHost.tabIndex = 0
    this.#plotHost.setAttribute('role', 'img')
    this.#spoken.setAttribute('aria-live', 'polite')
    this.#plotHost.addEventListener('keydown', (event) => this.#moveCursor(event))
    host.append(figure)
    new ResizeObserver(() => this.#resize()).observe(this.#plotHost)
  }

  /** Draws these lines of the span. */
  update(lines: readonly Line[], span: HistorySpan): void {
    this.#span = span
    const same = lines.map(({ key }) => key).join() === this.#lines.map(({ key }) => key).join()
    this.#lines = lines
    if (!same || this.#plot === undefined) this.redraw()
    else this.#plot.setData(this.#columns())
    this.#plotHost.setAttribute('aria-label', this.#summary())
  }

  /** Builds the chart anew: colours are read from the style sheet once. */
  redraw(): void {
    this.#plot?.destroy()
    this.#plot = new uPlot(this.#plotOptions(), this.#columns(), this.#plotHost)
  }

  #columns(): uPlot.AlignedData {
    const { times, series } = this.#span
    const seconds = times.map((time) => time / 1000)
    return [seconds, ...this.#lines.map(({ key }) => [...(series[key] ?? times.map(() => null))])]
  }

  #plotOptions(): uPlot.Options {
    const { format, include, fromZero = false, peaks = false } = this.#options
    const reach = { include, fromZero, peaks }
    const axis = { stroke: cssColour('--quiet'), grid: { stroke: cssColour('--line'), width: 1 } }
    return {
      width: this.#width(),
      height: HEIGHT,
      cursor: { sync: { key: SYNC }, drag: { x: false, y: false } },
      legend: { live: true, markers: { dash: (_plot, series) => this.#markOf(series - 1) } },
      scales: { y: { range: () => rangeOf(this.#shown(), reach) } },
      axes: [
        {
          ...axis,
          ticks: { show: false },
          size: 28,
          space: TIME_SPACE,
          values: (_plot, times) => times.map(hour),
        },
        {
          ...axis,
          ticks: { show: false },
          size: 54,
          values: (_plot, ys) => ys.map((y) => trimmed(format(y))),
        },
      ],
      series: [
        { label: 'at', value: (_plot, time) => (time === null ? 'now' : clock(time * 1000)) },
        ...this.#lines.map(({ label, beside }, index) => ({
          label,
          ...(beside === undefined ? inkOf(index) : inkBeside(beside)),
          width: 1.75,
          points: { show: false },
          value: (_plot: uPlot, value: number | null, series: number, at: number | null) =>
            format(at === null ? this.#latest(series - 1) : value),
        })),
      ],
    }
  }

  /** Every value of every line. */
  #shown(): number[] {
    const values = this.#lines.flatMap(({ key }) => this.#span.series[key] ?? [])
    return values.filter((value) => value !== null)
  }

  /** The legend's mark of a line looks like the line. */
  #markOf(line: number): string {
    return this.#lines[line]?.beside === undefined ? 'solid' : 'dotted'
  }

  #latest(line: number): number | undefined {
    const values = this.#span.series[this.#lines[line]?.key ?? '']
    return values?.findLast((value) => value !== null) ?? undefined
  }

  #summary(): string {
    const { title, format } = this.#options
    const lines = this.#lines.map(({ key, label }, index) => {
      const first = this.#span.series[key]?.find((value) => value !== null)
      return `${label} ${format(this.#latest(index))}, at the left end ${format(first)}`
    })
    return `${title}: ${lines.join('; ')}. Arrow keys read it point by point.`
  }

  #moveCursor(event: KeyboardEvent): void {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[event.key]
    const plot = this.#plot
    if (plot === undefined || steps === undefined) return
    event.preventDefault()
    const last = this.#span.times.length - 1
    const from = plot.cursor.idx ?? last
    const at = Math.min(last, Math.max(0, from + steps))
    const time = this.#span.times[at]
    if (time === undefined) return
    plot.setCursor({ left: plot.valToPos(time / 1000, 'x'), top: 1 })
    const values = this.#lines.map(
      ({ key, label }) => `${label} ${this.#options.format(this.#span.series[key]?.[at])}`,
    )
    setText(this.#spoken, `${clock(time)}: ${values.join(', ')}`)
  }

  #width(): number {
    return Math.max(120, Math.floor(this.#plotHost.clientWidth))
  }

  #resize(): void {
    const width = this.#width()
    if (this.#plot !== undefined && this.#plot.width !== width) {
      this.#plot.setSize({ width, height: HEIGHT })
    }
  }
}

/** The axis around nearly all of what is there: the first seconds of a run are far off, and may be cut. Never flat. */
function rangeOf(
  values: number[],
  { include, fromZero, peaks }: { include: number | undefined; fromZero: boolean; peaks: boolean },
): [number, number] {
  const sorted = values.sort((a, b) => a - b)
  const at = (share: number): number | undefined => sorted[Math.floor(share * (sorted.length - 1))]
  const seen = [at(SHOWN.from), at(peaks ? 1 : SHOWN.to), include, fromZero ? 0 : undefined].filter(
    (value) => value !== undefined,
  )
  if (seen.length === 0) return [0, 1]
  const low = Math.min(...seen)
  const high = Math.max(...seen)
  const air = (high - low) * 0.12 || Math.abs(high) * 0.05 || 0.5
  return [fromZero && low === 0 ? 0 : low - air, high + air]
}

/** `0.8000` on an axis is `0.8`, `250.0 kB` is `250 kB`. */
function trimmed(text: string): string {
  return text.replace(/(\.\d*?)0+(?=\D|$)/, '$1').replace(/\.(?=\D|$)/, '')
}

function hour(seconds: number): string {
  const date = new Date(seconds * 1000)
  const text = date.toLocaleTimeString('en-GB')
  return text.endsWith(':00') ? text.slice(0, 5) : text
}

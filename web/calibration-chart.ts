/** @file The calibration curve: predicted against observed rate per bin, on logarithmic axes, beside the diagonal. */

import uPlot from 'uplot'
import type { ReliabilityBin } from '../src/observe/reliability.ts'
import { element } from './dom.ts'
import { percent } from './format.ts'
import { cssColour, inkOf } from './palette.ts'

/** One task's curve. */
export interface Curve {
  readonly task: string
  readonly bins: readonly ReliabilityBin[]
}

const HEIGHT = 210

/** Mutable; `update` draws. */
export class CalibrationChart {
  readonly #host = element('div', '', 'plot')
  #plot: uPlot | undefined
  #curves: readonly Curve[] = []

  constructor(host: HTMLElement) {
    const caption = element('figcaption', [
      element('b', 'Calibration curve'),
      document.createTextNode(
        ' predicted against observed, 95 % intervals; on the diagonal is right',
      ),
    ])
    this.#host.setAttribute('role', 'img')
    host.append(element('figure', [caption, this.#host], 'wide'))
    new ResizeObserver(() => this.#resize()).observe(this.#host)
  }

  update(curves: readonly Curve[]): void {
    const same =
      curves.map(({ task }) => task).join() === this.#curves.map(({ task }) => task).join()
    this.#curves = curves.map(({ task, bins }) => ({
      task,
      bins: bins.filter(({ predicted, observed }) => predicted > 0 && observed > 0),
    }))
    if (same && this.#plot !== undefined) this.#plot.setData(this.#columns())
    else this.redraw()
    this.#host.setAttribute('aria-label', this.#summary())
  }

  redraw(): void {
    this.#plot?.destroy()
    this.#plot = new uPlot(this.#options(), this.#columns(), this.#host)
  }

  /** Curves with their own x, on one axis; the diagonal goes through every x. */
  #columns(): uPlot.AlignedData {
    const tables = this.#curves.map(({ bins }): uPlot.AlignedData => {
      const sorted = [...bins].sort((a, b) => a.predicted - b.predicted)
      return [sorted.map(({ predicted }) => predicted), sorted.map(({ observed }) => observed)]
    })
    const joined = uPlot.join(tables.length === 0 ? [[[], []]] : tables)
    const xs = joined[0]
    return [xs, [...xs], ...joined.slice(1)] as uPlot.AlignedData
  }

  #options(): uPlot.Options {
    const axis = { stroke: cssColour('--quiet'), grid: { stroke: cssColour('--line'), width: 1 } }
    const ticks = {
      ticks: { show: false },
      splits: (_plot: uPlot, _axis: number, min: number, max: number) => marksBetween(min, max),
      filter: (_plot: uPlot, splits: number[]) => splits,
      values: (_plot: uPlot, splits: number[]) => splits.map((split) => shortPercent(split)),
    }
    return {
      width: this.#width(),
      height: HEIGHT,
      legend: { live: false },
      cursor: { drag: { x: false, y: false } },
      scales: {
        x: { time: false, distr: 3, range: logRange },
        y: { distr: 3, range: logRange },
      },
      axes: [
        { ...axis, ...ticks, size: 28 },
        { ...axis, ...ticks, size: 54 },
      ],
      series: [
        { label: 'predicted', value: (_plot, value) => percent(value) },
        { label: 'right', stroke: cssColour('--quiet'), width: 1, dash: [3, 3], ...noPoints },
        ...this.#curves.map(({ task }, index) => ({
          label: task,
          ...inkOf(index),
          width: 1.75,
          spanGaps: true,
          points: { show: true, size: 5 },
          value: (_plot: uPlot, value: number | null) => percent(value),
        })),
      ],
      hooks: { draw: [(plot) => this.#drawIntervals(plot)] },
    }
  }

  #drawIntervals({ ctx, valToPos }: uPlot): void {
    ctx.save()
    ctx.lineWidth = 1
    for (const [index, { bins }] of this.#curves.entries()) {
      ctx.strokeStyle = inkOf(index).stroke
      for (const { predicted, low, high } of bins) {
        const x = valToPos(predicted, 'x', true)
        ctx.beginPath()
        ctx.moveTo(x, valToPos(Math.max(low, 1e-6), 'y', true))
        ctx.lineTo(x, valToPos(high, 'y', true))
        ctx.stroke()
      }
    }
    ctx.restore()
  }

  #summary(): string {
    const curves = this.#curves.map(({ task, bins }) => {
      const points = bins.map(
        ({ predicted, observed }) => `${percent(predicted)} was ${percent(observed)}`,
      )
      return `${task}: ${points.join(', ')}`
    })
    return `Calibration curve, predicted and observed. ${curves.join('. ')}`
  }

  #width(): number {
    return Math.max(120, Math.floor(this.#host.clientWidth))
  }

  #resize(): void {
    const width = this.#width()
    if (this.#plot !== undefined && this.#plot.width !== width) {
      this.#plot.setSize({ width, height: HEIGHT })
    }
  }
}

const noPoints = { points: { show: false } }

/** Both ends above 0, also when there is no point yet: a logarithmic axis knows nothing else. */
function logRange(_plot: uPlot, min: number | null, max: number | null): [number, number] {
  if (min === null || max === null || !(min > 0 && max >= min)) return [0.001, 1]
  return [min / 1.2, Math.max(max, min * 1.5) * 1.2]
}

/** 1, 2 and 5 times the powers of ten: uPlot's own marks do not end when a logarithmic axis begins between two of them. */
export function marksBetween(min: number, max: number): number[] {
  const marks: number[] = []
  for (let power = Math.floor(Math.log10(min)); 10 ** power <= max; power++) {
    for (const digit of [1, 2, 5]) {
      const mark = Number(`${digit}e${power}`)
      if (mark >= min && mark <= max) marks.push(mark)
    }
  }
  return marks
}

/** `5 %`, `0.2 %`. */
function shortPercent(value: number): string {
  return `${Number((100 * value).toPrecision(1))} %`
}

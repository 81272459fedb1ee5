/** @file A curve as an SVG picture, drawn without a browser. */

import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import type { Curve } from './bench.ts'

const WIDTH = 640
const HEIGHT = 320

/** The picture; equal curves give equal text. */
export function chartOf(curve: Curve): string {
  const { document } = parseHTML('<html><body></body></html>')
  const points = curve.lines.flatMap(({ name, points }) => points.map(([x, y]) => ({ name, x, y })))
  const ends = curve.lines.flatMap(({ name, points }) => {
    const last = points.at(-1)
    return last === undefined ? [] : [{ name, x: last[0], y: last[1] }]
  })
  const scale = (axis: 'x' | 'y'): 'log' | 'linear' =>
    curve.log === axis || curve.log === 'both' ? 'log' : 'linear'
  const place = { x: 'x', y: 'y' } as const
  const svg = Plot.plot({
    document: document as unknown as NonNullable<Plot.PlotOptions['document']>,
    width: WIDTH,
    height: HEIGHT,
    marginRight: 32,
    marginLeft: 64,
    style: { background: 'white', color: '#222' },
    x: { type: scale('x'), label: curve.x },
    y: { type: scale('y'), label: curve.y, grid: true, zero: scale('y') === 'linear' },
    marks: [
      scale('x') === 'log' ? measuredAxis(points) : null,
      Plot.lineY(points, { ...place, stroke: 'name' }),
      Plot.dot(points, { ...place, fill: 'name', r: 3 }),
      Plot.text(ends, { ...place, text: 'name', fill: 'name', dy: -12, textAnchor: 'end' }),
    ],
  })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  return `${svg.outerHTML}\n`
}

/** On a logarithmic axis only what was measured is marked, all of it: by itself the library leaves labels out. */
function measuredAxis(points: readonly { readonly x: number }[]): Plot.Markish {
  const ticks = [...new Set(points.map(({ x }) => x))]
  return Plot.axisX(ticks, { text: named })
}

function named(value: number): string {
  return value >= 1e6 ? `${value / 1e6} million` : value.toLocaleString('en-US')
}

/** @file The row of figures at the top: what happens now, each with its last minutes as a line. */

import uPlot from 'uplot'
import type { HistorySpan } from '../src/observe/history.ts'
import type { Status } from '../src/observe/status.ts'
import { byId, element, setText } from './dom.ts'
import { bytes, compact, count, duration, utc } from './format.ts'
import { cssColour } from './palette.ts'

interface Tile {
  readonly title: string
  readonly value: (status: Status) => string
  readonly detail: (status: Status) => string
  /** Series of the line. */
  readonly series: string
}

const TILES: readonly Tile[] = [
  {
    title: 'events per second',
    value: ({ eventsPerSecond }) => compact(eventsPerSecond),
    detail: ({ events }) => `${count(events)} read`,
    series: 'events_per_second',
  },
  {
    title: 'samples per second',
    value: ({ samplesPerSecond }) => compact(samplesPerSecond),
    detail: ({ samples }) => `${count(samples)} learned from`,
    series: 'samples_per_second',
  },
  {
    title: 'records behind',
    value: ({ lagRecords }) => compact(lagRecords),
    detail: ({ watermark }) => `up to ${utc(watermark)}`,
    series: 'lag_records',
  },
  {
    title: 'event to published',
    value: ({ freshnessSeconds }) => duration(freshnessSeconds),
    detail: () => 'event time, last version',
    series: 'freshness_seconds',
  },
  {
    title: 'version',
    value: ({ version }) => (version === undefined ? '–' : String(version.sequence)),
    detail: ({ version, at }) =>
      version === undefined
        ? 'none yet'
        : `${version.update}, ${bytes(version.bytes)}, ${duration((at - version.at) / 1000)} old`,
    series: 'version_age_seconds',
  },
  {
    title: 'rows in the table',
    value: ({ tables }) => compact(tables.reduce((sum, { rows }) => sum + rows, 0)),
    detail: ({ tables }) => bytes(tables.reduce((sum, table) => sum + table.bytes, 0)),
    series: 'rows',
  },
]

const SPARK_HEIGHT = 32

/** The tiles; `update` fills them. */
export class Tiles {
  readonly #tiles = TILES.map((tile) => {
    const value = element('dd', '–', 'value')
    const detail = element('dd', '', 'hint')
    const spark = element('dd', '', 'spark')
    spark.setAttribute('aria-hidden', 'true')
    byId('tiles').append(element('div', [element('dt', tile.title), value, spark, detail]))
    return { tile, value, detail, spark, plot: sparkline(spark) }
  })

  update(status: Status, span: HistorySpan): void {
    for (const { tile, value, detail, spark, plot } of this.#tiles) {
      setText(value, tile.value(status))
      setText(detail, tile.detail(status))
      const width = Math.max(60, Math.floor(spark.clientWidth))
      if (plot.width !== width) plot.setSize({ width, height: SPARK_HEIGHT })
      plot.setData([span.times.map((at) => at / 1000), [...(span.series[tile.series] ?? [])]])
    }
  }

  redraw(): void {
    for (const made of this.#tiles) {
      made.plot.destroy()
      made.plot = sparkline(made.spark)
    }
  }
}

function sparkline(host: HTMLElement): uPlot {
  const range = (_plot: uPlot, min: number, max: number): [number, number] => [
    Math.min(0, min ?? 0),
    (max ?? 0) > 0 ? max : 1,
  ]
  const options: uPlot.Options = {
    width: Math.max(60, Math.floor(host.clientWidth)),
    height: SPARK_HEIGHT,
    padding: [2, 0, 2, 0],
    cursor: { show: false },
    legend: { show: false },
    scales: { y: { range } },
    axes: [{ show: false }, { show: false }],
    series: [
      {},
      {
        stroke: cssColour('--series-0'),
        fill: cssColour('--series-0-soft'),
        width: 1.25,
        points: { show: false },
      },
    ],
  }
  return new uPlot(options, [[], []], host)
}

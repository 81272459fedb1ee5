/** @file The embedding table at size: lookups beside the memory floor, bytes per row, and the longest pause of growth. */

import { layOutColumns } from '../../src/embeddings/columns.ts'
import { sparseOptimizer } from '../../src/embeddings/sparse-optimizers.ts'
import { EmbeddingTable } from '../../src/embeddings/table.ts'
import type { KeyList } from '../../src/embeddings/table-terms.ts'
import { mix32, randomFrom } from '../../src/random.ts'
import type { Bench, BenchContext, Curve, Measured } from '../bench.ts'
import { median, processorMs, takeTurns } from '../harness.ts'

const ROWS = 10_000_000
const DIM = 16
const LOOKUP = 16_384
/** Sets of ids that take turns, so that none finds its rows in a cache because it was just there. */
const SETS = 64
const ROUNDS = 15
/** Inserts between two looks at the clock. */
const STRIDE = 64
const SIZES = [10_000, 100_000, 1_000_000, ROWS]

export const tablesBench: Bench = {
  name: 'tables',
  summary: `A table of ${ROWS / 1e6} million rows of ${DIM} values with Adagrad: lookups, memory, growth.`,
  peers: [],
  run: measure,
}

async function measure({ rounds = ROUNDS, say }: BenchContext): Promise<Measured> {
  const table = new EmbeddingTable(
    layOutColumns(
      [{ name: 'embedding', width: DIM, deviation: 0.05, optimizer: sparseOptimizer(ADAGRAD) }],
      1,
    ),
  )
  const grown = await grow(table, say)
  const last = new Lookups(table)
  const values = await takeTurns(
    [
      { name: 'ours', round: () => last.ours() },
      { name: 'floor', round: () => last.floor() },
    ],
    { rounds, warmups: 3 },
  )
  const { rows, payloadBytes, totalBytes } = table.bytes
  return {
    figures: [
      {
        label: `lookup of ${LOOKUP} ids in ${ROWS / 1e6} million rows`,
        unit: 'ms',
        rounds: values.get('ours') ?? [],
        against: { name: 'the same rows copied by number', rounds: values.get('floor') ?? [] },
        better: 'lower',
        target: 2,
      },
      {
        label: 'memory per row',
        unit: 'bytes',
        rounds: [totalBytes / rows],
        against: { name: 'payload', rounds: [payloadBytes / rows] },
        better: 'lower',
        target: 1.35,
      },
      {
        label: 'longest pause of growth',
        unit: 'ms',
        rounds: [Math.max(...grown.pauses.map(({ ms }) => ms))],
        better: 'lower',
        target: 50,
      },
      {
        label: 'longest pause of growth, processor time',
        unit: 'ms',
        rounds: [Math.max(...grown.pauses.map(({ processorMs }) => processorMs))],
        better: 'lower',
        target: 50,
      },
    ],
    floors: [
      {
        label: `random rows copied by number, ${LOOKUP} of them`,
        value: median(values.get('floor') ?? []),
        unit: 'ms',
      },
    ],
    curves: [
      curve('Lookup by table size', `ms for ${LOOKUP} ids`, grown.lookups),
      curve('Inserts by table size', 'inserts/s', grown.inserts),
    ],
    facts: { rows: ROWS, values: DIM, 'optimizer state': DIM },
  }
}

const ADAGRAD = {
  kind: 'adagrad',
  learning_rate: 0.05,
  initial_accumulator: 0.1,
  epsilon: 1e-10,
} as const

interface Pause {
  readonly ms: number
  /** Of all processors: does not grow while other processes have them. */
  readonly processorMs: number
}

interface Grown {
  /** The longest at each size. */
  readonly pauses: Pause[]
  /** By rows. */
  readonly lookups: [number, number][]
  readonly inserts: [number, number][]
}

/** Through all sizes up to the largest, with a look at what a lookup and an insert cost on the way. */
async function grow(table: EmbeddingTable, say: (line: string) => void): Promise<Grown> {
  const grown: Grown = { pauses: [], lookups: [], inserts: [] }
  for (const size of SIZES) {
    const before = table.rows
    const started = performance.now()
    grown.pauses.push(growTo(table, size))
    const seconds = (performance.now() - started) / 1000
    grown.inserts.push([size, (size - before) / seconds])
    const side = new Lookups(table)
    const quick = await takeTurns([{ name: 'ours', round: () => side.ours() }], { rounds: 5 })
    grown.lookups.push([size, median(quick.get('ours') ?? [])])
    say(`${size} rows, longest pause ${grown.pauses.at(-1)?.ms.toFixed(1)} ms`)
  }
  return grown
}

function curve(title: string, y: string, points: readonly (readonly [number, number])[]): Curve {
  return { title, x: 'rows', y, log: 'x', lines: [{ name: '', points }] }
}

/** Inserts new keys up to `size` rows; gives the longest times that a few inserts took. */
function growTo(table: EmbeddingTable, size: number): Pause {
  const longest = { ms: 0, processorMs: 0 }
  for (let row = table.rows; row < size; ) {
    const [started, before] = [performance.now(), processorMs()]
    const end = Math.min(size, row + STRIDE)
    for (; row < end; row++) table.insertOne(mix32(row), row)
    longest.ms = Math.max(longest.ms, performance.now() - started)
    longest.processorMs = Math.max(longest.processorMs, processorMs() - before)
  }
  return longest
}

/** Random ids of the table as it is: found by key, or copied by row number, which is what memory can do at best. */
class Lookups {
  readonly #table: EmbeddingTable
  readonly #sets: readonly KeyList[]
  readonly #rows = new Int32Array(LOOKUP)
  readonly #values = new Float32Array(LOOKUP * DIM)
  /** Rows side by side in pages like the table's, with nothing but their words. */
  readonly #plain: readonly Float32Array[]
  readonly #recordWidth: number
  #turn = 0

  constructor(table: EmbeddingTable) {
    this.#table = table
    this.#recordWidth = table.columns.recordWidth
    const random = randomFrom(5)
    this.#sets = Array.from({ length: SETS }, () => {
      const lo = Uint32Array.from({ length: LOOKUP }, () => random.integer(table.rows))
      return { lo, hi: lo.map(mix32), count: LOOKUP }
    })
    this.#plain = Array.from(
      table.records(),
      (bytes) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4),
    )
  }

  /** Milliseconds of one lookup. */
  ours(): number {
    const keys = this.#next()
    const started = performance.now()
    this.#table.lookUp(keys, this.#rows, this.#values)
    return performance.now() - started
  }

  /** Milliseconds of copying the same rows when their numbers are known. */
  floor(): number {
    const { lo: rows, count } = this.#next()
    const values = this.#values
    const width = this.#recordWidth
    const perPage = (this.#plain[0]?.length ?? width) / width
    const started = performance.now()
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const page = this.#plain[Math.floor(row / perPage)]!
      const from = (row % perPage) * width + 2
      for (let c = 0; c < DIM; c++) values[i * DIM + c] = page[from + c]!
    }
    return performance.now() - started
  }

  #next(): KeyList {
    this.#turn = (this.#turn + 1) % SETS
    return this.#sets[this.#turn]!
  }
}

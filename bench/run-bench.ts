/** @file Runs one bench: a folder of its own, the figures line by line, the result in a file. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MillraceError } from '../src/errors.ts'
import type { Bench } from './bench.ts'
import { thisCommit, thisMachine } from './machine.ts'
import { lineOf, type Result, resultOf, writeResult } from './result.ts'

export interface RunBenchOptions {
  readonly bench: Bench
  /** One of the bench's peers; its first when undefined. */
  readonly peer: string | undefined
  readonly rounds: number | undefined
  /** Where the result goes. */
  readonly results: string
  readonly print: (line: string) => void
}

/** Prints every figure, the headline last, and writes the result. */
export async function runBench(options: RunBenchOptions): Promise<Result> {
  const { bench, rounds, print } = options
  const peer = chosenPeer(bench, options.peer)
  const folder = mkdtempSync(join(tmpdir(), `millrace-bench-${bench.name}-`))
  // Before the run: it measures what is there now.
  const [commit, machine] = [thisCommit(), thisMachine()]
  const started = performance.now()
  try {
    const measured = await bench.run({ peer, rounds, folder, say: print })
    if (measured.figures.length === 0) {
      throw new MillraceError('BAD_STATE', `${bench.name} measured nothing`)
    }
    const beside = peer === undefined ? '' : ` --peer ${peer}`
    const result = resultOf(measured, {
      name: bench.name,
      summary: bench.summary,
      command: `npm run bench -- ${bench.name}${beside}`,
      measured_on: new Date().toISOString().slice(0, 10),
      commit,
      machine,
      seconds: Math.round((performance.now() - started) / 1000),
    })
    writeResult(options.results, result)
    for (const [index, figure] of [...result.figures.entries()].reverse()) {
      print(lineOf(bench.name, figure, index === 0))
    }
    return result
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function chosenPeer({ name, peers }: Bench, wanted: string | undefined): string | undefined {
  if (wanted === undefined) return peers[0]
  if (peers.includes(wanted)) return wanted
  throw new MillraceError('USAGE', `${name} has no peer ${wanted}`, {
    remedy: peers.length === 0 ? 'leave --peer out' : `choose one of ${peers.join(', ')}`,
  })
}

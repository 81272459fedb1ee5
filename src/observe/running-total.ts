/** @file A Prometheus counter that is told totals: stages count since the start of the log, prom-client wants differences. */

import type { Counter } from 'prom-client'

/**
 * Because totals come from checkpointed state, a restart continues the series where it was. A total below the last one
 * (the learner was restored to an earlier point) starts the series again, which Prometheus reads as a counter reset.
 */
export class RunningTotal {
  readonly #counter: Counter
  readonly #last = new Map<string, number>()

  constructor(counter: Counter) {
    this.#counter = counter
  }

  set(total: number, labels: Readonly<Record<string, string>> = {}): void {
    const key = JSON.stringify(labels)
    let last = this.#last.get(key) ?? 0
    if (total < last) {
      this.#counter.remove(labels)
      last = 0
    }
    this.#counter.inc(labels, total - last)
    this.#last.set(key, total)
  }
}

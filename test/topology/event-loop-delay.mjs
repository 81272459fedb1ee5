// Preloaded into a learner: how long its event loop was held up, in milliseconds, goes to the file of EVENT_LOOP_DELAY when it ends.

import { appendFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION_MS = 5

const file = process.env.EVENT_LOOP_DELAY
if (file !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  // Start-up compiles and reads: what counts is the time in which it learns.
  setTimeout(() => delays.enable(), Number(process.env.EVENT_LOOP_DELAY_AFTER_MS ?? 0)).unref()
  process.on('exit', () => {
    const ms = (nanoseconds) => nanoseconds / 1e6
    const found = { p50: ms(delays.percentile(50)), p99: ms(delays.percentile(99)), max: ms(delays.max) }
    appendFileSync(file, JSON.stringify(found))
  })
}

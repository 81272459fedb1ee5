/** @file The joiner: events -> join -> samples topic, for the shards that its group gives it. One round is one finite epoch of each. */

import { defer, type Observable, repeat, takeWhile } from 'rxjs'
import type { JoinerRun } from './joiner-run.ts'

/** Runs rounds until the stream ends or the run is stopped; emits after each whether there is more. */
export function joinerRounds(run: JoinerRun): Observable<boolean> {
  return defer(() => run.round()).pipe(
    repeat(),
    takeWhile((more) => more, true),
  )
}

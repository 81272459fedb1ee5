/**
 * @file The learner: events -> join -> samples -> mini-batches -> predict, then learn -> model topic, with a checkpoint where
 * everything is quiet. RxJS has no backpressure, so one poll is one finite epoch (design section 2).
 */

import { concatMap, defer, last, mergeMap, type Observable, of, repeat, takeWhile } from 'rxjs'
import type { Epoch } from '../src/broker/epoch-journal.ts'
import { inTurns } from '../src/slices.ts'
import { learnAndPublish, sideline, takingIn, toBatches } from './epoch-stages.ts'
import type { Poll } from './event-source.ts'
import type { LearnerRun } from './learner-run.ts'

/** Runs epochs until the stream ends or the run is stopped; emits each epoch when it is done and everything is quiet. */
export function learnerEpochs(run: LearnerRun): Observable<Epoch | undefined> {
  return defer(() => run.nextPoll()).pipe(
    concatMap((poll) => (poll === undefined ? of(undefined) : runEpoch(run, poll))),
    concatMap((epoch) => run.afterEpoch(epoch)),
    repeat(),
    takeWhile((epoch) => epoch?.end !== true && !run.stopping, true),
  )
}

/** One poll down the path of the data, one line per stage. */
function runEpoch(run: LearnerRun, poll: Poll): Observable<Epoch> {
  const { context } = run
  const { inputs, stages } = context
  return of(poll).pipe(
    concatMap(() => inTurns(takingIn(stages.intake, inputs, poll))),
    concatMap((outputs) => sideline(context, outputs)),
    mergeMap((outputs) => toBatches(context, poll, outputs)),
    concatMap((batch) => learnAndPublish(context, batch)),
    last(undefined, undefined),
    concatMap(() => run.close(poll.epoch)),
  )
}

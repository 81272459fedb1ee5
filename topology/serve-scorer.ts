/** @file A scorer as a whole: follows a model topic and answers requests, until it is stopped. */

import type { Log } from '../src/observe/log.ts'
import { ServeRegistry } from '../src/observe/serve-registry.ts'
import { CurrentFollower } from '../src/serve/current-follower.ts'
import { Follower } from '../src/serve/follower.ts'
import { type ScoringLimits, serveScores } from '../src/serve/http.ts'
import type { HiddenToken } from '../src/serve/http-token.ts'
import { Scorer } from '../src/serve/scorer.ts'
import type { ScorerReport } from '../src/serve/scorer-report.ts'
import { openEngine } from '../src/tensors/engine-choice.ts'
import type { EnginePreference } from '../src/tensors/engine-preferences.ts'
import type { Clock } from '../src/time.ts'
import { openChunkCodec, shipped } from './chunk-codec.ts'
import { packageVersion } from './package-files.ts'
import { ControlWatch } from './serve-control.ts'
import { followUntilStopped } from './serve-follow.ts'
import { type ShadowSource, shadowOf } from './serve-shadow.ts'
import type { ModelSource } from './serve-source.ts'

/** What a scorer is made of. */
export interface ScorerOptions {
  /** Belongs to the scorer from then on. */
  readonly source: ModelSource
  /** A second version that scores beside the one that answers; belongs to the scorer, too. */
  readonly shadow?: ShadowSource | undefined
  readonly engine: EnginePreference
  readonly clock: Clock
  readonly lines: Log
  readonly limits: ScoringLimits
  readonly token?: HiddenToken | undefined
  readonly host: string
  readonly port: number
}

/** A scorer at work. */
export interface RunningScorer {
  readonly url: string
  /** Settles when the scorer has stopped: by `stop`, or with the error that ended it. */
  readonly ended: Promise<void>
  /** Stops following, drains, closes the log. */
  stop(): void
}

/** Listens at once; `/readyz` says when there is a model. */
export async function startScorer(options: ScorerOptions): Promise<RunningScorer> {
  const { source, clock, lines } = options
  const { engine, name, reason } = await openEngine(options.engine)
  const current = new CurrentFollower(new Follower(engine, source))
  const watch = new ControlWatch({ engine, ...source })
  const registry = new ServeRegistry({ version: packageVersion(), clock })
  const report = (one: ScorerReport): void => {
    registry.record(one)
    logReport(lines, one)
  }
  const shadow = options.shadow && shadowOf(options.shadow, engine, report)
  let caughtUp = false
  const server = await serveScores({
    ...options,
    version: packageVersion(),
    schemas: { request: shipped('score-request'), answer: shipped('score-answer') },
    scorer: new Scorer(current),
    shadow: shadow?.shadow,
    ready: () => caughtUp && current.model !== undefined,
    metrics: registry,
    report,
  })
  report({ kind: 'engine', engine: name, reason })
  lines.info({ url: server.url, topic: source.topic, model: source.modelId }, 'serving')
  const stopping = new AbortController()
  const following = followUntilStopped({
    ...source,
    codec: openChunkCodec(),
    current,
    look: (options) => watch.look(options),
    report,
    onCaughtUp: () => {
      caughtUp = true
    },
    signal: stopping.signal,
  })
  const followed = [following, shadow?.follow(stopping.signal)]
  const ended = Promise.all(followed)
    .then(() => undefined)
    .finally(async () => {
      stopping.abort()
      await Promise.allSettled(followed)
      await server.close()
      await source.log.close()
      await options.shadow?.log.close()
    })
  const stop = (): void => {
    stopping.abort()
    // No new requests from this moment on; `ended` waits for the same closing.
    server.close().catch(() => undefined)
  }
  return { url: server.url, ended, stop }
}

function logReport(lines: Log, report: ScorerReport): void {
  switch (report.kind) {
    case 'applied': {
      const { kind: _, ...fields } = report
      lines.info(fields, 'version in use')
      break
    }
    case 'engine':
      lines.info({ engine: report.engine }, report.reason)
      break
    case 'refused':
      lines.warn({ reason: report.reason, usable: report.usable }, report.detail)
      break
    case 'unreadable':
      lines.warn({}, `cannot read the model topic, trying again: ${report.message}`)
      break
    case 'failed':
      lines.error({}, report.message)
      break
    case 'shadow-refused':
      lines.warn({ reason: report.reason }, `the shadow: ${report.detail}`)
      break
    case 'shadow-version': {
      const { kind: _, ...fields } = report
      lines.info(fields, 'version in the shadow')
      break
    }
    case 'request':
    case 'scored':
    case 'shadowed':
      // Counted; one line per request would be more than anybody reads.
      break
    default:
      report satisfies never
  }
}

/** @file A scorer obeys the control topic: when a decision changes what to score with, a second follower reads up to there and takes over. */

import type { ModelControl } from '../src/publish/control.ts'
import type { TrustedKeys } from '../src/publish/signature.ts'
import type { CurrentFollower } from '../src/serve/current-follower.ts'
import { Follower } from '../src/serve/follower.ts'
import type { ScorerReport } from '../src/serve/scorer-report.ts'
import type { Engine } from '../src/tensors/engine.ts'
import { readControl } from './control-topic.ts'
import { earliestOffset } from './earliest-offset.ts'
import { followToEnd } from './follow-topic.ts'
import type { FollowOptions } from './serve-follow.ts'

/** How often decisions are looked for: at every so many waits for new versions. */
const LOOK_EVERY = 5

export interface ControlWatchOptions {
  readonly engine: Engine
  readonly modelId: string | undefined
  readonly trusted: TrustedKeys | undefined
}

/** Remembers the decision that is in force. */
export class ControlWatch {
  readonly #options: ControlWatchOptions
  #revision = 0
  #waits = 0

  constructor(options: ControlWatchOptions) {
    this.#options = options
  }

  /** Called at the end of the topic. Returns where to read on, when another follower took over. */
  async look(at: FollowOptions): Promise<number | undefined> {
    if (this.#waits++ % LOOK_EVERY !== 0) return undefined
    const modelId = this.#options.modelId ?? at.current.model?.header.model_id
    if (modelId === undefined) return undefined
    const control = await readControl(at.log, at.topic, modelId, this.#options.trusted)
    if (control.revision <= this.#revision) return undefined
    this.#revision = control.revision
    return takeOver(at, this.#options, modelId, control)
  }
}

async function takeOver(
  { log, topic, codec, current, report }: FollowOptions,
  { engine, trusted }: ControlWatchOptions,
  modelId: string,
  control: ModelControl,
): Promise<number | undefined> {
  const next = new Follower(engine, { modelId, trusted, control })
  const start = await earliestOffset(log, { topic, partition: 0 })
  const offset = await followToEnd(log, topic, codec, next, start)
  const { model, sha256 } = next
  const { pinned_sequence: pinned, pinned_sha256 } = control
  if (model === undefined || (pinned > 0 && sha256 !== pinned_sha256)) {
    report(
      refusal(
        `decision ${control.revision} wants version ${pinned}, which the topic no longer has`,
        current,
      ),
    )
    return undefined
  }
  current.use(next)
  report({
    kind: 'applied',
    modelId,
    sequence: model.header.sequence,
    sha256,
    tableRows: model.rows,
    publishedAtMs: control.decided_at_ms,
  })
  return offset
}

function refusal(detail: string, current: CurrentFollower): ScorerReport {
  return { kind: 'refused', reason: 'withdrawn', detail, usable: current.model !== undefined }
}

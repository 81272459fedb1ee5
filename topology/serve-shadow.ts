/** @file The second version of a scorer: of another model or topic, or an older one of the same, followed beside the one that answers. */

import { noControl } from '../src/publish/control.ts'
import { CurrentFollower } from '../src/serve/current-follower.ts'
import { Follower } from '../src/serve/follower.ts'
import { Scorer } from '../src/serve/scorer.ts'
import type { ScorerReport } from '../src/serve/scorer-report.ts'
import { Shadow } from '../src/serve/shadow.ts'
import type { Environment } from '../src/settings/environment.ts'
import type { Engine } from '../src/tensors/engine.ts'
import { openChunkCodec } from './chunk-codec.ts'
import { versionNumbered } from './control-topic.ts'
import { followUntilStopped } from './serve-follow.ts'
import { type ModelSource, openModelSource, type SourceOptions } from './serve-source.ts'
import { type ListedVersion, listVersions } from './version-list.ts'

/** What a user may say: the shadow's topic, model or version; any of them asks for one. */
export interface ShadowOptions {
  readonly shadowTopic?: string
  readonly shadowModel?: string
  readonly shadowVersion?: number
  readonly shadowShare: number
}

/** Where the second version comes from. */
export interface ShadowSource extends ModelSource {
  /** Of the requests that are scored twice. */
  readonly share: number
  /** The version at which it stays; undefined: the newest one. */
  readonly version: ListedVersion | undefined
}

/** Undefined when nobody asked for a shadow; BAD_INPUT when its version is not on the topic. */
export async function openShadowSource(
  { topic, model, ...options }: SourceOptions & ShadowOptions,
  environment: Environment,
): Promise<ShadowSource | undefined> {
  const { shadowTopic, shadowModel, shadowVersion, shadowShare: share } = options
  if (shadowTopic === undefined && shadowModel === undefined && shadowVersion === undefined) {
    return undefined
  }
  const source = await openModelSource(
    {
      ...options,
      ...named('topic', shadowTopic ?? topic),
      ...named('model', shadowModel ?? model),
    },
    environment,
  )
  if (shadowVersion === undefined) return { ...source, share, version: undefined }
  try {
    const version = versionNumbered(await listVersions(source), shadowVersion)
    return { ...source, share, version }
  } catch (thrown) {
    await source.log.close()
    throw thrown
  }
}

function named<Name extends string>(name: Name, value: string | undefined) {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, string>)
}

/** A shadow that is ready to be asked, and what keeps it up to date. */
export interface FollowedShadow {
  readonly shadow: Shadow
  follow(signal: AbortSignal): Promise<void>
}

/** What it meets on its topic is told, and is no refusal of the version that answers. */
export function shadowOf(
  { share, version, ...source }: ShadowSource,
  engine: Engine,
  report: (report: ScorerReport) => void,
): FollowedShadow {
  const modelId = version?.modelId ?? source.modelId
  const control = version && {
    ...noControl(version.modelId),
    pinned_sequence: version.sequence,
    pinned_sha256: version.sha256,
  }
  const current = new CurrentFollower(new Follower(engine, { ...source, modelId, control }))
  const tell = (one: ScorerReport): void => {
    if (one.kind === 'applied') {
      const { modelId: shadowId, sequence, sha256 } = one
      report({ kind: 'shadow-version', modelId: shadowId, sequence, sha256 })
    } else if (one.kind === 'refused') {
      report({ kind: 'shadow-refused', reason: one.reason, detail: one.detail })
    } else report(one)
  }
  return {
    shadow: new Shadow(new Scorer(current), share),
    follow: async (signal) => {
      const [bounds] = version === undefined ? [] : await source.log.bounds(source.topic)
      await followUntilStopped({
        ...source,
        codec: openChunkCodec(),
        current,
        ...(bounds === undefined ? {} : { from: bounds.earliest }),
        report: tell,
        onCaughtUp: () => undefined,
        signal,
      })
    },
  }
}

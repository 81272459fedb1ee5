/** @file `millrace snapshot pin | rollback | export`: decisions about versions, and versions for other programs. */

import { writeFile } from 'node:fs/promises'
import { MillraceError } from '../src/errors.ts'
import { graphOf } from '../src/publish/graph-section.ts'
import { onnxOf } from '../src/publish/onnx.ts'
import { safetensorsOf } from '../src/publish/safetensors.ts'
import type { Signer } from '../src/publish/signature.ts'
import { type CommandContext, printResult } from './command-context.ts'
import { readControl, versionNumbered, writeControl } from './control-topic.ts'
import { listVersions, type VersionSource } from './version-list.ts'
import { wholeVersions } from './version-state.ts'

/** A decision to write down. */
export interface Decision {
  readonly reason: string
  readonly signer: Signer | undefined
}

/** Consumers stay at the version from now on, or follow the newest again when there is none. */
export async function pinSnapshot(
  context: CommandContext,
  source: VersionSource,
  sequence: number | undefined,
  decision: Decision,
): Promise<void> {
  const versions = await listVersions(source)
  const pinned = sequence === undefined ? undefined : versionNumbered(versions, sequence)
  await decide(context, source, versions[0]?.modelId, decision, (withdrawn) => {
    if (pinned !== undefined && withdrawn.includes(pinned.sha256)) {
      throw new MillraceError('BAD_INPUT', `version ${sequence} was withdrawn`, {
        remedy: 'pin another one: what was rolled back stays back',
      })
    }
    return { pinned, withdrawn }
  })
  printResult(
    context,
    { pinned: sequence ?? null },
    pinned === undefined
      ? 'no pin: consumers follow the newest version'
      : `pinned to version ${sequence}`,
  )
}

/** Every later version is withdrawn for good, and consumers stay at this one until the pin is released. */
export async function rollBack(
  context: CommandContext,
  source: VersionSource,
  sequence: number,
  decision: Decision,
): Promise<void> {
  const versions = await listVersions(source)
  const target = versionNumbered(versions, sequence)
  const later = versions.slice(versions.indexOf(target) + 1).map(({ sha256 }) => sha256)
  await decide(context, source, target.modelId, decision, (before) => {
    if (before.includes(target.sha256)) {
      throw new MillraceError('BAD_INPUT', `version ${sequence} was withdrawn itself`, {
        remedy: 'roll back to an earlier one',
      })
    }
    return { pinned: target, withdrawn: [...new Set([...before, ...later])] }
  })
  printResult(
    context,
    { pinned: sequence, withdrawn: later.length },
    `rolled back to version ${sequence}: ${later.length} later versions are withdrawn. Release with: millrace snapshot pin --release`,
  )
}

type Pin = { readonly sequence: number; readonly sha256: string } | undefined

async function decide(
  { clock }: CommandContext,
  { log, topic, trusted }: VersionSource,
  modelId: string | undefined,
  { reason, signer }: Decision,
  change: (withdrawn: readonly string[]) => { pinned: Pin; withdrawn: readonly string[] },
): Promise<void> {
  if (modelId === undefined) {
    throw new MillraceError('BAD_INPUT', `no whole version on topic ${topic}`)
  }
  const before = await readControl(log, topic, modelId, trusted)
  const { pinned, withdrawn } = change(before.withdrawn)
  const decision = {
    model_id: modelId,
    revision: before.revision + 1,
    pinned_sequence: pinned?.sequence ?? 0,
    pinned_sha256: pinned?.sha256 ?? '',
    withdrawn,
    reason,
    decided_at_ms: clock.now(),
  }
  await writeControl(log, topic, decision, signer)
}

/** Formats of `export`. */
export type ExportFormat = 'safetensors' | 'onnx'

/** Writes one version, the newest unless told otherwise, as a file. */
export async function exportSnapshot(
  context: CommandContext,
  source: VersionSource,
  options: {
    readonly sequence: number | undefined
    readonly format: ExportFormat
    readonly output: string
  },
): Promise<void> {
  const newest = (await listVersions(source)).at(-1)?.sequence ?? 0
  const sequence = options.sequence ?? newest
  const [whole] = await wholeVersions(source, [sequence])
  if (whole === undefined) return
  const bytes =
    options.format === 'safetensors'
      ? safetensorsOf(whole.content, whole.listed.sha256)
      : onnxOf(graphFrom(whole.content.sections, sequence), whole.content)
  await writeFile(options.output, bytes)
  printResult(
    context,
    { version: sequence, format: options.format, output: options.output, bytes: bytes.length },
    `version ${sequence} as ${options.format}: ${options.output}, ${bytes.length} bytes`,
  )
}

function graphFrom(sections: Parameters<typeof graphOf>[0], sequence: number) {
  const graph = graphOf(sections)
  if (graph !== undefined) return graph
  throw new MillraceError('BAD_INPUT', `version ${sequence} was published without a graph`, {
    remedy: 'an older trainer wrote it: publish again with this one',
  })
}

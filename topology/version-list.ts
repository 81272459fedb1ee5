/** @file What versions a model topic has, whole ones only, with their content: what the snapshot commands look at. */

import type { TopicLog } from '../src/broker/topic-log.ts'
import { messageOf } from '../src/errors.ts'
import { ChunkAssembly, joining, type UpdateChunk } from '../src/publish/chunk.ts'
import { type TrustedKeys, updateMessage } from '../src/publish/signature.ts'
import { decodeUpdate, type UpdateContent } from '../src/publish/update.ts'
import { atOnce } from '../src/slices.ts'
import { openChunkCodec } from './chunk-codec.ts'

/** One version as it stands on the topic. */
export interface ListedVersion {
  readonly sequence: number
  readonly kind: 'full' | 'delta'
  readonly sha256: string
  readonly parentSha256: string
  readonly trainerEpoch: number
  readonly publishedAtMs: number
  readonly bytes: number
  /** Offset of its first chunk. */
  readonly offset: number
  /** `none`: no signature; `unchecked`: no key was given. */
  readonly signature: 'none' | 'unchecked' | 'good' | 'bad'
  /** Why its content is not what its envelope says; undefined when it is. */
  readonly fault: string | undefined
  readonly modelId: string
}

/** Called with the content of every sound version, while it is in memory. */
export type VersionVisitor = (version: ListedVersion, update: UpdateContent) => void

const READ_RECORDS = 64

/** Where versions are looked for. */
export interface VersionSource {
  readonly log: TopicLog
  readonly topic: string
  /** Undefined: the first model that appears. */
  readonly modelId: string | undefined
  readonly trusted: TrustedKeys | undefined
  /** Called with how far the topic was read, in records. */
  readonly onRead?: (offset: number, end: number) => void
}

/** Reads the whole topic, oldest first. */
export async function listVersions(
  source: VersionSource,
  visit: VersionVisitor = () => undefined,
): Promise<ListedVersion[]> {
  const versions: ListedVersion[] = []
  const assembly = new ChunkAssembly()
  let wanted = source.modelId
  let start = 0
  for await (const { chunk, offset } of chunksOn(source)) {
    wanted ??= chunk.model_id
    if (chunk.model_id !== wanted) continue
    if (chunk.chunk === 0) start = offset
    const assembled = assembly.add(chunk)
    if (assembled.kind !== 'complete') continue
    const { version, update } = versionOf(assembled.chunk, assembled, start, source.trusted)
    versions.push(version)
    if (update !== undefined) visit(version, update)
  }
  return versions
}

/** Every chunk on the topic as it is now; records that are no chunks are left out. */
export async function* chunksOn({
  log,
  topic,
  onRead = () => undefined,
}: Pick<VersionSource, 'log' | 'topic' | 'onRead'>): AsyncGenerator<{
  chunk: UpdateChunk
  offset: number
}> {
  const codec = openChunkCodec()
  const [bounds] = await log.bounds(topic)
  for (let offset = bounds?.earliest ?? 0; ; ) {
    const [batch] = await log.read([{ topic, partition: 0, offset }], READ_RECORDS)
    if (batch === undefined) return
    for (const record of batch.records) {
      const decoded = codec.decode(record.value)
      if (decoded.kind === 'chunk') yield { chunk: decoded.chunk, offset: record.offset }
    }
    offset = batch.nextOffset
    onRead(offset, bounds?.latest ?? offset)
  }
}

function versionOf(
  chunk: UpdateChunk,
  { bodies, sha256 }: { readonly bodies: readonly Uint8Array[]; readonly sha256: string },
  offset: number,
  trusted: TrustedKeys | undefined,
): { version: ListedVersion; update: UpdateContent | undefined } {
  const content = atOnce(joining(bodies))
  const { update, fault } = read(chunk, content, sha256)
  const version = {
    sequence: chunk.sequence,
    kind: chunk.kind,
    sha256: chunk.sha256,
    parentSha256: chunk.parent_sha256,
    trainerEpoch: chunk.trainer_epoch,
    publishedAtMs: chunk.published_at_ms,
    bytes: content.length,
    offset,
    signature: signatureOf(chunk, trusted),
    fault,
    modelId: chunk.model_id,
  }
  return { version, update }
}

/** `sha256`: of the content as it came. */
function read(
  chunk: UpdateChunk,
  content: Uint8Array,
  sha256: string,
): { update?: UpdateContent; fault?: string } {
  if (sha256 !== chunk.sha256) return { fault: 'its content has another sha256' }
  try {
    return { update: decodeUpdate(content) }
  } catch (thrown) {
    return { fault: messageOf(thrown) }
  }
}

function signatureOf(
  chunk: UpdateChunk,
  trusted: TrustedKeys | undefined,
): ListedVersion['signature'] {
  if (chunk.signature.length === 0) return 'none'
  if (trusted === undefined) return 'unchecked'
  return trusted.verify(updateMessage(chunk), chunk.signature) ? 'good' : 'bad'
}

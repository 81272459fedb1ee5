/** @file `millrace snapshot list | show | diff | verify`: what is on a model topic, what is in a version, and whether it is sound. */

import type { TableRows } from '../src/embeddings/table-rows.ts'
import { MillraceError } from '../src/errors.ts'
import { formatBytes, formatCount, NO_VALUE } from '../src/observe/format.ts'
import type { ModelControl } from '../src/publish/control.ts'
import { stateRows } from '../src/publish/feature-state-section.ts'
import type { DenseWeights, UpdateContent } from '../src/publish/update.ts'
import { Follower } from '../src/serve/follower.ts'
import { openEngine } from '../src/tensors/engine-choice.ts'
import { type CommandContext, printResult } from './command-context.ts'
import { readControl } from './control-topic.ts'
import { chunksOn, type ListedVersion, listVersions, type VersionSource } from './version-list.ts'
import { wholeVersions } from './version-state.ts'

/** Prints one line per version, oldest first, or JSON. */
export async function listSnapshots(context: CommandContext, source: VersionSource): Promise<void> {
  const samples = new Map<string, number>()
  const versions = await listVersions(source, ({ sha256 }, { header }) => {
    samples.set(sha256, header.samples)
  })
  const control = await readControl(
    source.log,
    source.topic,
    versions[0]?.modelId ?? '',
    source.trusted,
  )
  const rows = versions.map(
    (version): ListedRow => ({
      version: version.sequence,
      kind: version.kind,
      sha256: version.sha256,
      trainer_epoch: version.trainerEpoch,
      samples: samples.get(version.sha256) ?? null,
      bytes: version.bytes,
      published_at: new Date(version.publishedAtMs).toISOString(),
      signature: version.signature,
      state: stateOf(version, control),
    }),
  )
  const text =
    rows.length === 0
      ? `no whole version on topic ${source.topic}`
      : aligned([HEADINGS, ...rows.map(cellsOf)])
  printResult(context, rows, text)
}

const NO_ROWS: TableRows = { keys: new Uint32Array(0), values: new Float32Array(0) }

/** A version as `list --json` gives it. */
interface ListedRow {
  readonly version: number
  readonly kind: string
  readonly sha256: string
  readonly trainer_epoch: number
  readonly samples: number | null
  readonly bytes: number
  readonly published_at: string
  readonly signature: string
  readonly state: string
}

const HEADINGS = ['version', 'kind', 'sha256', 'samples', 'size', 'published', 'signature', 'state']

const FIGURES = new Set(['version', 'samples', 'size'])

function cellsOf(row: ListedRow): string[] {
  return [
    String(row.version),
    row.kind,
    row.sha256.slice(0, 12),
    row.samples === null ? NO_VALUE : formatCount(row.samples),
    formatBytes(row.bytes),
    `${row.published_at.slice(0, 19).replace('T', ' ')}Z`,
    row.signature,
    row.state,
  ]
}

/** Columns as wide as their widest cell, figures to the right. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        FIGURES.has(HEADINGS[column]!)
          ? cell.padStart(widths[column]!)
          : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd()
  return rows.map(line).join('\n')
}

function stateOf({ sha256, fault }: ListedVersion, control: ModelControl): string {
  if (fault !== undefined) return `damaged: ${fault}`
  if (control.withdrawn.includes(sha256)) return 'withdrawn'
  return control.pinned_sha256 === sha256 ? 'pinned' : ''
}

/** Prints a version's header, sections and sizes as JSON. */
export async function showSnapshot(
  context: CommandContext,
  source: VersionSource,
  sequence: number,
): Promise<void> {
  const [whole] = await wholeVersions(source, [sequence])
  if (whole === undefined) return
  const { header, rows, dense, sections, probe } = whole.content
  const { feature_spec: _, ...facts } = header
  const shown = {
    sha256: whole.listed.sha256,
    trainer_epoch: whole.listed.trainerEpoch,
    signature: whole.listed.signature,
    update_bytes: whole.listed.bytes,
    ...facts,
    rows: rows.keys.length / 2,
    feature_state: Object.fromEntries(
      stateRows(sections).map(({ name, rows }) => [name, { rows: rows.keys.length / 2 }]),
    ),
    dense_weights: dense.reduce((sum, { values }) => sum + values.length, 0),
    probe_rows: probe.features.rows,
    sections: sections.map(({ name, version, required, content }) => ({
      name,
      version,
      required,
      bytes: content.length,
    })),
  }
  context.print(JSON.stringify(shown, undefined, 2))
}

/** Prints what changed between two versions, as JSON. */
export async function diffSnapshots(
  context: CommandContext,
  source: VersionSource,
  from: number,
  to: number,
): Promise<void> {
  const [before, after] = await wholeVersions(source, [from, to])
  if (before === undefined || after === undefined) return
  const report = {
    from,
    to,
    samples: after.content.header.samples - before.content.header.samples,
    metrics: metricsChange(before.content, after.content),
    dense: denseChange(before.content.dense, after.content.dense),
    rows: rowsChange(before.content.rows, after.content.rows, after.content.header.table.width),
    feature_state: stateChange(before.content, after.content),
  }
  context.print(JSON.stringify(report, undefined, 2))
}

function metricsChange(before: UpdateContent, after: UpdateContent): object {
  const tasks = after.header.tasks.map((task) => {
    const [old = {}, now = {}] = [before.header.metrics[task], after.header.metrics[task]]
    const figures = Object.keys(now).map((name) => [
      name,
      { from: old[name] ?? null, to: now[name] ?? null },
    ])
    return [task, Object.fromEntries(figures)]
  })
  return Object.fromEntries(tasks)
}

/** Euclidean norm of each weight's change, over its norm before. */
function denseChange(before: readonly DenseWeights[], after: readonly DenseWeights[]): object {
  const old = new Map(before.map((one) => [one.name, one.values]))
  const changes = after.map(({ name, values }) => {
    const then = old.get(name)
    if (then?.length !== values.length) return [name, 'another shape']
    const change = Math.hypot(...values.map((value, i) => value - then[i]!))
    return [name, { change, relative: change / Math.hypot(...then) }]
  })
  return Object.fromEntries(changes)
}

/** The same of the rows of every feature with a state. */
function stateChange(before: UpdateContent, after: UpdateContent): object {
  const old = new Map(stateRows(before.sections).map(({ name, rows }) => [name, rows]))
  const changes = stateRows(after.sections).map(({ name, rows, width }) => [
    name,
    rowsChange(old.get(name) ?? NO_ROWS, rows, width),
  ])
  return Object.fromEntries(changes)
}

function rowsChange(before: TableRows, after: TableRows, width: number): object {
  const rowsOf = ({ keys, values }: TableRows) =>
    new Map(
      Array.from({ length: keys.length / 2 }, (_, i) => [
        `${keys[2 * i]} ${keys[2 * i + 1]}`,
        values.subarray(i * width, (i + 1) * width),
      ]),
    )
  const [old, now] = [rowsOf(before), rowsOf(after)]
  let added = 0
  let changed = 0
  let largest = 0
  for (const [key, values] of now) {
    const then = old.get(key)
    const distance =
      then === undefined ? 0 : Math.hypot(...values.map((value, i) => value - then[i]!))
    added += then === undefined ? 1 : 0
    changed += distance > 0 ? 1 : 0
    largest = Math.max(largest, distance)
  }
  const removed = [...old.keys()].filter((key) => !now.has(key)).length
  return { before: old.size, after: now.size, added, removed, changed, largest_change: largest }
}

/** Loads every version as a scorer would: hash, chain, signature, probe. CORRUPT when something was refused. */
export async function verifySnapshots(
  context: CommandContext,
  source: VersionSource,
): Promise<void> {
  const { engine } = await openEngine('plain')
  const follower = new Follower(engine, source)
  const refused: { version: number; reason: string; detail: string }[] = []
  let sound = 0
  for await (const { chunk } of chunksOn(source)) {
    const followed = follower.follow(chunk)
    if (followed.kind === 'applied') sound += 1
    if (followed.kind !== 'refused') continue
    refused.push({ version: chunk.sequence, reason: followed.reason, detail: followed.detail })
  }
  const isSound = refused.length === 0 && sound > 0
  const signatures = source.trusted === undefined ? 'not checked' : 'trusted'
  const words =
    source.trusted === undefined ? 'signatures were not checked' : 'signed by a trusted key'
  const lines = refused.map(
    ({ version, reason, detail }) => `version ${version}: ${reason}: ${detail}`,
  )
  if (isSound) lines.push(`${sound} versions: hashes, chain and probes are right; ${words}`)
  printResult(context, { sound, refused, signatures }, lines.join('\n'))
  if (isSound) return
  throw new MillraceError(
    'CORRUPT',
    `${sound} versions are sound, ${refused.length} updates are not`,
    { remedy: 'a consumer keeps the version before and heals from the next full one' },
  )
}

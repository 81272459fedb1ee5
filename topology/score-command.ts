/** @file `millrace score`: scores rows of a file with a model that is known from its topic alone. */

import { openFileLog } from '../src/broker/file-log/file-log.ts'
import { MillraceError } from '../src/errors.ts'
import { FeatureEncoder } from '../src/features/encode.ts'
import { countOf, formatCount } from '../src/observe/format.ts'
import { Follower } from '../src/serve/follower.ts'
import type { ServedModel } from '../src/serve/served-model.ts'
import { openEngine } from '../src/tensors/engine-choice.ts'
import { writtenTime } from '../src/time.ts'
import { openChunkCodec } from './chunk-codec.ts'
import { type CommandContext, printResult } from './command-context.ts'
import { readControl } from './control-topic.ts'
import { followToEnd } from './follow-topic.ts'
import { readNdjson, writeNdjson } from './ndjson.ts'
import { trustedKeys } from './serve-source.ts'
import { type Waiting, withProgress } from './waiting.ts'

export interface ScoreCommand {
  /** Folder of the file log. */
  readonly from: string
  readonly topic: string
  /** Which model, when the topic has several. */
  readonly model?: string
  readonly publicKey?: string
  readonly input: string
  readonly output: string
  /** Field of a row with its event time, Unix ms or ISO 8601 with a zone: features like the hour of day need it. */
  readonly timeField: string
}

const ROWS_AT_ONCE = 512

/** Writes each input row's scores, in order; prints which version scored. */
export async function scoreCommand(context: CommandContext, command: ScoreCommand): Promise<void> {
  const { rows, model, sha256 } = await withProgress(context, async (waiting) => {
    const follower = await followTopic(command, waiting)
    const { model, sha256 } = follower
    if (model === undefined) throw noModel(command, follower)
    return { rows: await scoreFile(model, command, waiting), model, sha256 }
  })
  const { model_id, sequence: version } = model.header
  printResult(
    context,
    { rows, output: command.output, model_id, version, sha256 },
    `scored ${countOf(rows, 'row')} with version ${version} of ${model_id} (${sha256})`,
  )
}

/** A follower at the end of the topic, at the version that a pin or a rollback names where there is one. */
async function followTopic(command: ScoreCommand, waiting: Waiting): Promise<Follower> {
  const { from: path, topic } = command
  const log = await openFileLog({ path, access: 'read-only' })
  // The serving engine: no library, the same on every machine.
  const { engine } = await openEngine('plain')
  const trusted = trustedKeys(command.publicKey)
  const follow = async (follower: Follower, offset?: number): Promise<Follower> => {
    await followToEnd(log, topic, openChunkCodec(), follower, offset, () =>
      waiting.show(() => `reading version ${follower.model?.header.sequence ?? '-'}`),
    )
    return follower
  }
  try {
    const newest = await follow(new Follower(engine, { modelId: command.model, trusted }))
    const modelId = command.model ?? newest.model?.header.model_id ?? ''
    const control = await readControl(log, topic, modelId, trusted)
    if (control.revision === 0) return newest
    return await follow(new Follower(engine, { modelId, trusted, control }), 0)
  } finally {
    await log.close()
  }
}

function noModel({ topic, from }: ScoreCommand, { refusals }: Follower): MillraceError {
  const counts = Array.from(refusals, ([reason, count]) => `${reason} ${count}`)
  return new MillraceError('BAD_INPUT', `no whole model on topic ${topic} of ${from}`, {
    remedy: `let the learner publish first; refused updates: ${counts.join(', ') || 'none'}`,
  })
}

async function scoreFile(
  model: ServedModel,
  { input, output, timeField }: ScoreCommand,
  waiting: Waiting,
): Promise<number> {
  const encoder = new FeatureEncoder(model.spec, model.state)
  encoder.setStatistics(model.standardisation)
  const writer = writeNdjson(output)
  let buffered: Readonly<Record<string, unknown>>[] = []
  let rows = 0
  const drain = async (): Promise<void> => {
    const batch = buffered.map((fields, i) => ({
      fields,
      time: timeOf(fields, timeField, `${input}, row ${rows + i + 1}`),
    }))
    const scores = model.score(encoder.encode(batch))
    for (const [i, fields] of buffered.entries()) {
      const named = model.header.tasks.map((task, t) => [task, scores[t * buffered.length + i]])
      await writer.write({ ...fields, scores: Object.fromEntries(named) })
    }
    rows += buffered.length
    buffered = []
    waiting.show(() => `${formatCount(rows)} rows scored`)
  }
  try {
    for await (const row of readNdjson(input)) {
      buffered.push(row)
      if (buffered.length === ROWS_AT_ONCE) await drain()
    }
    if (buffered.length > 0) await drain()
  } finally {
    await writer.close()
  }
  return rows
}

function timeOf(fields: Readonly<Record<string, unknown>>, field: string, place: string): number {
  const time = writtenTime(fields[field])
  if (time !== undefined) return time
  throw new MillraceError('BAD_INPUT', `${place}: no event time in ${field}`, {
    remedy:
      'give Unix milliseconds or ISO 8601 with a zone there, or name another field with --time-field',
  })
}

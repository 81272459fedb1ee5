/** @file `millrace score`: scores rows of a file with a model that is known from its topic alone. */

import { openFileLog } from '../src/broker/file-log/file-log.ts'
import { MillraceError } from '../src/errors.ts'
import { FeatureEncoder } from '../src/features/encode.ts'
import { Follower } from '../src/serve/follower.ts'
import type { ServedModel } from '../src/serve/served-model.ts'
import { openEngine } from '../src/tensors/engine-choice.ts'
import { openChunkCodec } from './chunk-codec.ts'
import type { CommandContext } from './command-context.ts'
import { readControl } from './control-topic.ts'
import { followToEnd } from './follow-topic.ts'
import { readNdjson, writeNdjson } from './ndjson.ts'
import { trustedKeys } from './serve-source.ts'

export interface ScoreCommand {
  /** Folder of the file log. */
  readonly from: string
  readonly topic: string
  /** Which model, when the topic has several. */
  readonly model?: string
  readonly publicKey?: string
  readonly input: string
  readonly output: string
  /** Field of a row with its event time in Unix ms: features like the hour of day need it. */
  readonly timeField: string
}

const ROWS_AT_ONCE = 512

/** Writes each input row's scores, in order; prints which version scored. */
export async function scoreCommand(context: CommandContext, command: ScoreCommand): Promise<void> {
  const { from: path, topic, input, output, timeField } = command
  const log = await openFileLog({ path, access: 'read-only' })
  // The serving engine: no library, the same on every machine.
  const { engine } = await openEngine('plain')
  const trusted = trustedKeys(command.publicKey)
  let follower = new Follower(engine, { modelId: command.model, trusted })
  try {
    await followToEnd(log, topic, openChunkCodec(), follower)
    const modelId = command.model ?? follower.model?.header.model_id ?? ''
    const control = await readControl(log, topic, modelId, trusted)
    if (control.revision > 0) {
      follower = new Follower(engine, { modelId, trusted, control })
      await followToEnd(log, topic, openChunkCodec(), follower, 0)
    }
  } finally {
    await log.close()
  }
  const { model } = follower
  if (model === undefined) {
    throw new MillraceError('BAD_INPUT', `no whole model on topic ${topic} of ${path}`, {
      remedy: `let the learner publish first; refused updates: ${refusals(follower)}`,
    })
  }
  const rows = await scoreFile(model, { input, output, timeField })
  const { model_id, sequence } = model.header
  context.print(`scored ${rows} rows with version ${sequence} of ${model_id} (${follower.sha256})`)
}

function refusals(follower: Follower): string {
  const counts = Array.from(follower.refusals, ([reason, count]) => `${reason} ${count}`)
  return counts.length === 0 ? 'none' : counts.join(', ')
}

async function scoreFile(
  model: ServedModel,
  { input, output, timeField }: { input: string; output: string; timeField: string },
): Promise<number> {
  const encoder = new FeatureEncoder(model.spec, model.state)
  encoder.setStatistics(model.standardisation)
  const writer = writeNdjson(output)
  let waiting: Readonly<Record<string, unknown>>[] = []
  let rows = 0
  const drain = async (): Promise<void> => {
    const batch = waiting.map((fields) => ({ fields, time: timeOf(fields, timeField) }))
    const scores = model.score(encoder.encode(batch))
    for (const [i, fields] of waiting.entries()) {
      const named = model.header.tasks.map((task, t) => [task, scores[t * waiting.length + i]])
      await writer.write({ ...fields, scores: Object.fromEntries(named) })
    }
    rows += waiting.length
    waiting = []
  }
  try {
    for await (const row of readNdjson(input)) {
      waiting.push(row)
      if (waiting.length === ROWS_AT_ONCE) await drain()
    }
    if (waiting.length > 0) await drain()
  } finally {
    await writer.close()
  }
  return rows
}

function timeOf(fields: Readonly<Record<string, unknown>>, field: string): number {
  const time = fields[field]
  if (typeof time === 'number' && Number.isFinite(time)) return time
  throw new MillraceError('BAD_INPUT', `a row has no event time in ${field}`, {
    remedy: 'give Unix milliseconds there, or name another field with --time-field',
  })
}

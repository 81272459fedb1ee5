/** @file `millrace check JOB`: reads the job, its schemas and what must fit between them; says what would run. */

import { MillraceError } from '../src/errors.ts'
import { compileFeatures } from '../src/features/feature-spec.ts'
import { hasState } from '../src/features/state-options.ts'
import { buildModel } from '../src/model/build-model.ts'
import { countValues } from '../src/model/parameters.ts'
import { countOf } from '../src/observe/format.ts'
import { erasureOf, type Job, loadJob, startsAtImpressions } from '../src/settings/job.ts'
import type { AvroSchema } from '../src/wire/avro-schema.ts'
import { type CommandContext, printResult } from './command-context.ts'
import { codecOf } from './event-inputs.ts'

/** Prints one line when the job is sound; BAD_SETTINGS or BAD_SCHEMA with the place when it is not. */
export async function checkCommand(context: CommandContext, file: string): Promise<void> {
  const { value, text } = await checkJob(file)
  printResult(context, value, text)
}

/** What a sound job would run, as a value and as a sentence; throws as `checkCommand` does. */
export async function checkJob(file: string): Promise<{ value: object; text: string }> {
  const job = await loadJob(file)
  for (const kind of job.events.kinds) {
    const { schema } = codecOf(job, kind)
    const keys = typeof kind.key === 'string' ? [kind.key] : kind.key
    const label = kind.label.field === undefined ? [] : [kind.label.field]
    for (const field of [kind.id, kind.time, ...keys, ...label]) {
      checkField(file, schema, field, `events kind ${kind.kind}`)
    }
    // Without impressions any kind may open a sample; what only some of them say would tell which one did.
    const opens = kind.anchor || (!startsAtImpressions(job) && kind.erases === undefined)
    if (!opens) continue
    checkFeatures(job, schema)
    const userField = erasureOf(job)?.userField
    if (userField !== undefined) checkField(file, schema, userField, 'erases')
  }
  const spec = compileFeatures(job.features)
  const tasks = job.join.tasks.map((task) => task.name)
  const model = buildModel(job.model, { tasks, fields: spec.slots.length, dense: spec.denseWidth })
  const weights = countValues(model.parameters)
  const learned = spec.denseWidth - spec.numberWidth
  const text =
    `${file}: sound. ${countOf(tasks.length, 'task')} (${tasks.join(', ')}), ${countOf(spec.slots.length, 'id feature')}, ` +
    `${countOf(spec.numberWidth, 'number')}, ${countOf(learned, 'column')} learned from the stream, ` +
    `${model.kind} with ${countOf(weights, 'dense weight')}, ` +
    `${countOf(model.columnsPerField, 'column')} per id.`
  const value = {
    job: job.name,
    tasks,
    id_features: spec.slots.length,
    numbers: spec.numberWidth,
    columns_learned_from_the_stream: learned,
    model: model.kind,
    dense_weights: weights,
    columns_per_id: model.columnsPerField,
  }
  return { value, text }
}

function checkFeatures(job: Job, schema: AvroSchema): void {
  for (const feature of job.features) {
    if (feature.kind === 'cross' || feature.kind === 'hour' || feature.kind === 'weekday') continue
    if (hasState(feature)) continue
    const from = ('from' in feature ? feature.from : undefined) ?? feature.name
    for (const field of typeof from === 'string' ? [from] : from) {
      checkField(job.file, schema, field, `feature ${feature.name}`)
    }
  }
}

function checkField(file: string, schema: AvroSchema, field: string, user: string): void {
  const names = schema.fields.map(({ name }) => name)
  if (names.includes(field)) return
  throw new MillraceError(
    'BAD_SETTINGS',
    `${file}: ${user} reads the field ${field}, which ${schema.origin} does not have`,
    { remedy: `use one of ${names.join(', ')}` },
  )
}

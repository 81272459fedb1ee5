/** @file The whole job file: the sections that every part declares beside its own code, and what must fit between them. */

import { z } from 'zod'
import { balancerFrom } from '../balance/balancers.ts'
import { MillraceError } from '../errors.ts'
import { eventsOptions, hasImpressions } from '../events/options.ts'
import { unreachedByErasure } from '../features/erasable-options.ts'
import { featureListOptions, givesIds } from '../features/feature-options.ts'
import { joinOptions } from '../join/options.ts'
import { modelOptions } from '../model/options.ts'
import { observeOptions } from '../observe/observe-options.ts'
import { publishOptions } from '../publish/options.ts'
import { armOptions } from '../samples/arm-options.ts'
import { batchOptions, negativesOptions, samplesOptions } from '../samples/options.ts'
import { checkPlace } from '../train/balancing.ts'
import { trainOptions } from '../train/options.ts'
import { isScheduled } from '../train/schedule-options.ts'
import { balanceOptions, rowBalanceSettings } from './balance-options.ts'
import { busOptions } from './bus-options.ts'
import { secretReference } from './environment.ts'
import { nearestName } from './nearest-name.ts'

const sections = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/, 'lower-case letters, digits and -')
    .describe('names the job in logs, metrics and published models'),
  bus: busOptions,
  events: eventsOptions,
  join: joinOptions,
  features: featureListOptions,
  samples: samplesOptions.prefault({}),
  negatives: negativesOptions.prefault({}),
  arm: armOptions.optional().describe('which arm of an A/B test this is; left out: of none'),
  batch: batchOptions.prefault({ count: 256 }),
  model: modelOptions,
  balance: balanceOptions.prefault({ kind: 'equal' }),
  row_balance: rowBalanceSettings
    .optional()
    .describe('combines the task gradients of each embedding row; left out: as the others'),
  train: trainOptions.prefault({}),
  publish: publishOptions
    .extend({
      signing_key: secretReference
        .optional()
        .describe('where the ed25519 key is that signs updates: from_env or from_file'),
    })
    .prefault({}),
  observe: observeOptions.prefault({}),
})

/** The settings of a job after validation, every default filled in. */
export type JobSettings = z.output<typeof sections>

/** Every section by its own rules, then the rules between sections. */
export const jobSchema = sections.superRefine((job, context) => {
  checkTaskKinds(job, context)
  checkConditionalTasks(job, context)
  checkRateTasks(job, context)
  checkErasure(job, context)
  checkTopics(job, context)
  checkBalance(job, context)
  checkCorrection(job, context)
  checkKeepRates(job, context)
  checkDrawn(job, context)
  checkRates(job, context)
  checkSlotValues(job, context)
})

function complain(context: z.RefinementCtx, path: PropertyKey[], message: string): void {
  context.addIssue({ code: 'custom', path, message })
}

/** Every task learns from a declared kind of feedback. */
function checkTaskKinds({ events, join }: JobSettings, context: z.RefinementCtx): void {
  const feedback = events.kinds
    .filter(({ anchor, erases }) => !anchor && erases === undefined)
    .map((kind) => kind.kind)
  for (const [index, task] of join.tasks.entries()) {
    if (feedback.includes(task.kind)) continue
    const key = task.kind === task.name ? 'name' : 'kind'
    const message = `must be a kind of feedback event${choice(task.kind, feedback)}`
    complain(context, ['join', 'tasks', index, key], message)
  }
}

/** ESMM heads name declared tasks. */
function checkConditionalTasks({ join, model }: JobSettings, context: z.RefinementCtx): void {
  const tasks = join.tasks.map((task) => task.name)
  for (const [index, head] of model.conditional.entries()) {
    for (const key of ['task', 'given'] as const) {
      if (tasks.includes(head[key])) continue
      const message = `must be a task${choice(head[key], tasks)}`
      complain(context, ['model', 'conditional', index, key], message)
    }
  }
}

/** Rates and histories name declared tasks. */
function checkRateTasks({ join, features }: JobSettings, context: z.RefinementCtx): void {
  const known = join.tasks.map((task) => task.name)
  for (const [index, feature] of features.entries()) {
    if (feature.kind !== 'rate' && feature.kind !== 'history') continue
    for (const [place, task] of feature.tasks.entries()) {
      if (known.includes(task)) continue
      const message = `must be a task${choice(task, known)}`
      complain(context, ['features', index, 'tasks', place], message)
    }
  }
}

/** What a user taught is found again by a tombstone, or expires. */
function checkErasure({ events, features, train }: JobSettings, context: z.RefinementCtx): void {
  const userField = events.kinds.find(({ erases }) => erases !== undefined)?.erases
  if (userField === undefined) return
  for (const { index, table, why } of unreachedByErasure(features, userField)) {
    if (train[table].expire_hours !== undefined) continue
    const remedy = `cross the id of the user with one other feature at most, or let rows expire (train.${table}.expire_hours)`
    complain(context, ['features', index], `${why}, where no tombstone finds a user: ${remedy}`)
  }
}

/**
 * Models, samples and events never share a topic; with the Confluent framing the schema of every event topic has its registry id, or there is
 * a registry.
 */
function checkTopics(
  { bus, events, publish, samples }: JobSettings,
  context: z.RefinementCtx,
): void {
  for (const { topic } of events.kinds) {
    if (topic === publish.topic) {
      complain(context, ['publish', 'topic'], 'must not be a topic that carries events')
    }
    if (topic === samples.topic) {
      complain(context, ['samples', 'topic'], 'must not be a topic that carries events')
    }
    const known = bus.schema_ids[topic] !== undefined || bus.registry !== undefined
    if (bus.framing === 'confluent' && !known) {
      complain(context, ['bus', 'schema_ids'], `must give the registry id of topic ${topic}`)
    }
  }
  if (bus.registry !== undefined && bus.framing !== 'confluent') {
    complain(context, ['bus', 'registry'], 'needs framing: confluent')
  }
  if (samples.topic === publish.topic) {
    complain(context, ['samples', 'topic'], 'must not be the topic of the model')
  }
}

/** Late positives only come with `fast` emission, and two of the corrections are exact only for negatives given out at once. */
function checkCorrection({ join, train }: JobSettings, context: z.RefinementCtx): void {
  const { correction } = train
  if (correction !== undefined && join.emission !== 'fast') {
    complain(context, ['train', 'correction'], 'needs join.emission: fast')
  }
  const atOnceOnly = correction === undefined || correction === 'fnc' || correction === 'fnw'
  if (join.observeMs > 0 && atOnceOnly) {
    const exact = 'must be es-dfm or retraction: fnc and fnw are exact for join.observe_ms: 0 only'
    complain(context, ['train', 'correction'], exact)
  }
}

/** The keys of a setting are names of what the job has. */
function checkNames(
  context: z.RefinementCtx,
  setting: {
    readonly path: readonly string[]
    readonly given: object
    readonly known: readonly string[]
    readonly are: string
  },
): void {
  const { path, given, known, are } = setting
  for (const name of Object.keys(given)) {
    if (!known.includes(name))
      complain(context, [...path, name], `must be ${are}${choice(name, known)}`)
  }
}

/** Types of values are given for features that have rows. */
function checkSlotValues({ features, publish }: JobSettings, context: z.RefinementCtx): void {
  const slots = features.filter(givesIds).map(({ name }) => name)
  const path = ['publish', 'slot_values']
  checkNames(context, { path, given: publish.slot_values, known: slots, are: 'an id-like feature' })
}

/** Rates are of declared tasks. */
function checkKeepRates({ join, negatives }: JobSettings, context: z.RefinementCtx): void {
  if (typeof negatives.keep === 'number') return
  const tasks = join.tasks.map((task) => task.name)
  const path = ['negatives', 'keep']
  checkNames(context, { path, given: negatives.keep, known: tasks, are: 'a task' })
}

/** Negatives are drawn where nothing tells what was passed over, and only there. */
function checkDrawn({ events, join, negatives }: JobSettings, context: z.RefinementCtx): void {
  const { drawn, keep } = negatives
  if (hasImpressions(events.kinds)) {
    if (drawn !== undefined)
      complain(context, ['negatives', 'drawn'], 'needs a job without impressions')
    return
  }
  const path = ['negatives', 'drawn']
  if (drawn === undefined) complain(context, path, 'is needed: no kind is the anchor: true')
  if (keep !== 1)
    complain(
      context,
      ['negatives', 'keep'],
      'must be 1: without impressions all negatives are drawn',
    )
  if (join.emission !== 'wait') {
    complain(
      context,
      ['join', 'emission'],
      'must be wait: without impressions there is nothing to show earlier',
    )
  }
}

/** Slot rates are of features with rows; FTRL, whose closed form holds for one rate, takes no multiple of it. */
function checkRates({ features, model, train }: JobSettings, context: z.RefinementCtx): void {
  const known = features.filter(givesIds).map(({ name }) => name)
  const path = ['train', 'slot_rates']
  const given = train.slot_rates
  checkNames(context, { path, given, known, are: 'a feature that gives ids' })
  if (Object.keys(given).length === 0 && !isScheduled(train.schedule)) return
  for (const section of model.wide ? (['sparse', 'wide'] as const) : (['sparse'] as const)) {
    if (train[section].kind !== 'ftrl') continue
    const message =
      'ftrl has one rate: choose adagrad or adam, or leave schedule and slot_rates out'
    complain(context, ['train', section, 'kind'], message)
  }
}

/** The balancer exists, works where gradients are compared, and targets a task that there is. */
function checkBalance(job: JobSettings, context: z.RefinementCtx): void {
  const { balance, row_balance: rows, join, train } = job
  const tasks = join.tasks.length
  const target = 'target' in balance ? balance.target : undefined
  const places = [
    ['balance', 'target', target],
    ['row_balance', 'target', rows?.kind === 'metabalance' ? rows.target : undefined],
    ['row_balance', 'main', rows?.kind === 'pmtrec' ? rows.main : undefined],
  ] as const
  for (const [section, key, place] of places) {
    if (typeof place !== 'number' || place < tasks) continue
    complain(context, [section, key], `must be the place of a task, 0 to ${tasks - 1}`)
  }
  try {
    checkPlace(balancerFrom(balance), train.gradients_at)
  } catch (thrown) {
    if (!(thrown instanceof MillraceError)) throw thrown
    complain(context, ['balance'], `${thrown.message}; ${thrown.remedy ?? ''}`)
  }
}

function choice(name: string, known: readonly string[]): string {
  const near = nearestName(name, known)
  return near === undefined ? ` (one of ${known.join(', ')})` : ` (did you mean ${near}?)`
}

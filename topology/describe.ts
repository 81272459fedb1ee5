/** @file The wiring of a job as text and as a mermaid flowchart: which topic feeds which stage, and what comes out where. */

import { type Job, loadJob, startsAtImpressions } from '../src/settings/job.ts'
import { type CommandContext, printResult } from './command-context.ts'
import { stateFolder } from './open-learner.ts'
import { sideTopic } from './side-outputs.ts'

/** One arrow of the picture; node ids are made of their labels. */
interface Flow {
  readonly from: string
  readonly to: string
}

/** What an event goes through, in order. */
const STAGES: readonly string[] = [
  'decode',
  'de-duplicate',
  'watermark',
  'join',
  'encode',
  'predict, then learn',
]

/** `millrace describe JOB`. */
export async function describeCommand(
  context: CommandContext,
  command: { readonly job: string; readonly format: 'text' | 'mermaid' },
): Promise<void> {
  const job = await loadJob(command.job)
  const text = command.format === 'mermaid' ? describeMermaid(job) : describeText(job)
  printResult(
    context,
    { job: job.name, bus: job.bus.kind, stages: STAGES, flows: flowsOf(job) },
    text,
  )
}

/** The stages in order, with the settings that matter to a reader. */
export function describeText(job: Job): string {
  const { events, join, features, batch, model, balance, publish, train } = job
  const start = startsAtImpressions(job) ? 'the impression' : 'the first action on the pair'
  const lines = [
    `job ${job.name} on a ${job.bus.kind} bus`,
    ...events.kinds.map(
      ({ kind, topic, anchor, erases }) =>
        `  reads    ${topic}: ${kind}${anchor ? ' (opens samples)' : ''}${erases === undefined ? '' : ' (forgets a user)'}`,
    ),
    `  drops    duplicates within ${seconds(events.dedupe.withinMs)}`,
    `  waits    for events up to ${seconds(events.latenessMs)} late`,
    ...join.tasks.map(
      ({ name, kind, windowMs }) =>
        `  labels   ${name}: a ${kind} within ${seconds(windowMs)} of ${start}`,
    ),
    `  emits    samples ${join.emission === 'wait' ? 'when the longest window ends' : 'as each window ends'}`,
    `  encodes  ${features.map(({ name }) => name).join(', ')}`,
    `  batches  ${batch.count ?? 'any number of'} samples${batch.everyMs === undefined ? '' : `, at most ${seconds(batch.everyMs)} of event time`}`,
    `  learns   ${model.kind}, balanced by ${balance.kind}, after scoring each batch`,
    `  sets out ${(['dead-letter', 'late', 'orphan'] as const).map((side) => sideTopic(job.name, side)).join(', ')}`,
    `  writes   ${publish.topic}: a version every ${publish.every_samples} samples, one in ${publish.full_every} full`,
    `  saves    ${stateFolder(job)} every ${train.checkpoint_every_records} records`,
  ]
  return lines.join('\n')
}

/** Topics into the first stage, stage to stage, stages to topics. */
function flowsOf(job: Job): Flow[] {
  return [
    ...job.events.kinds.map(({ topic }) => ({ from: topic, to: 'decode' })),
    ...STAGES.slice(1).map((to, index) => ({ from: STAGES[index] ?? '', to })),
    { from: 'decode', to: sideTopic(job.name, 'dead-letter') },
    { from: 'watermark', to: sideTopic(job.name, 'late') },
    { from: 'join', to: sideTopic(job.name, 'late') },
    { from: 'join', to: sideTopic(job.name, 'orphan') },
    { from: 'predict, then learn', to: job.publish.topic },
  ]
}

/** A flowchart for docs and pull requests. */
export function describeMermaid(job: Job): string {
  const isStage = (name: string): boolean => STAGES.includes(name)
  const node = (name: string): string =>
    `${nodeId(name)}${isStage(name) ? `["${name}"]` : `[("${name}")]`}`
  const arrows = flowsOf(job).map(({ from, to }) => `  ${node(from)} --> ${node(to)}`)
  return ['flowchart LR', ...arrows].join('\n')
}

function nodeId(name: string): string {
  return name.replaceAll(/[^a-z0-9]/gi, '_')
}

function seconds(ms: number): string {
  return `${ms / 1000} s`
}

/**
 * @file One extraction level of PLE: its experts and gates, and where the cut runs through it. Where shared gates mix all
 * experts, a task's expert below the last level reaches every tower through the next level, and so do task gates below the
 * level before the last: they are shared. All else that is named after a task is private, and what it reads from shared
 * parts is lifted over the cut.
 */

import { MillraceError } from '../errors.ts'
import type { Tape, Var } from '../tensors/tape.ts'
import { reluStack, type Site } from './dense-layers.ts'
import { expertOutputs, expertSpecs } from './experts.ts'
import { gateSpecs, gateWeights } from './gate.ts'
import type { GateWeights, ParameterSource, ParameterSpec } from './model.ts'
import type { SharedCut } from './shared-cut.ts'

/** What a level needs of the options of `ple.ts`. */
export interface LevelOptions {
  readonly levels: number
  readonly shared_experts: number
  readonly specific_experts: number
  readonly shared_gate_over: 'all' | 'shared'
  readonly shared_streams: 'one' | 'per-expert'
  readonly expert_hidden: readonly number[]
  readonly gate_hidden: readonly number[]
}

/** Names and owners of one level's parts. */
export interface LevelPlan {
  readonly options: LevelOptions
  readonly taskExperts: readonly Site[]
  readonly sharedExperts: Site
  readonly taskGates: readonly Site[]
  /** One per shared stream; none at the last level, which feeds towers only. */
  readonly sharedGates: readonly Site[]
}

/** What flows from level to level. */
export interface Streams {
  readonly tasks: readonly Var[]
  /** One, or one per shared expert. */
  readonly shared: readonly Var[]
  /** The task streams lie below the cut. */
  readonly areShared: boolean
}

/** What one forward pass carries through its levels. */
export interface LevelPass {
  readonly tape: Tape
  readonly parameter: ParameterSource
  readonly cut: SharedCut
  readonly gates: GateWeights[]
}

/** The plan of level `level` of `options.levels`. */
export function levelPlan(options: LevelOptions, tasks: number, level: number): LevelPlan {
  const name = `level.${level}`
  const trunk = (part: string): Site => ({
    name: `${name}.${part}`,
    owner: 'shared',
    place: 'trunk',
  })
  const perTask = (part: string, levelsAbove: number): Site[] =>
    Array.from({ length: tasks }, (_, task): Site => {
      const isShared = options.shared_gate_over === 'all' && level < options.levels - levelsAbove
      const site = trunk(`${part}.${task}`)
      return isShared ? site : { ...site, owner: task, place: 'head' }
    })
  const sharedGates =
    options.shared_streams === 'one'
      ? [trunk('gate.shared')]
      : Array.from({ length: options.shared_experts }, (_, s) => trunk(`gate.shared.${s}`))
  return {
    options,
    taskExperts: perTask('expert.task', 1),
    sharedExperts: trunk('expert.shared'),
    taskGates: perTask('gate.task', 2),
    sharedGates: level === options.levels - 1 ? [] : sharedGates,
  }
}

/** Parameters of a level whose streams have width `inputs`. */
export function levelSpecs(plan: LevelPlan, inputs: number): ParameterSpec[] {
  const { expert_hidden, gate_hidden, shared_experts, specific_experts } = plan.options
  const tasks = plan.taskExperts.length
  const others = plan.options.shared_gate_over === 'all' ? tasks * specific_experts : 0
  const gates = (sites: readonly Site[], candidates: number): ParameterSpec[] =>
    sites.flatMap((site) => gateSpecs(site, inputs, gate_hidden, candidates))
  return [
    ...plan.taskExperts.flatMap((site) =>
      expertSpecs(site, specific_experts, inputs, expert_hidden),
    ),
    ...expertSpecs(plan.sharedExperts, shared_experts, inputs, expert_hidden),
    ...gates(plan.taskGates, specific_experts + shared_experts),
    ...gates(plan.sharedGates, others + shared_experts),
  ]
}

/** The streams above one level, from those below it. */
export function runLevel(plan: LevelPlan, pass: LevelPass, streams: Streams): Streams {
  const { tape, parameter, cut } = pass
  const { expert_hidden, gate_hidden, shared_experts, specific_experts } = plan.options
  /** A value below the cut as a part with this site may read it. */
  const seenBy = (site: Site, value: Var, isShared: boolean): Var =>
    site.place === 'head' && isShared ? cut.lift(value) : value
  const mixBy = (site: Site, stream: Var, experts: readonly Var[]): Var => {
    const weights = gateWeights(tape, parameter, site.name, gate_hidden, stream)
    pass.gates.push({ name: site.name, weights })
    return tape.mix(weights, experts)
  }
  const own = streams.tasks.map((stream, task) => {
    const site = siteOf(plan.taskExperts, task)
    const input = seenBy(site, stream, streams.areShared)
    return expertOutputs(tape, parameter, site.name, specific_experts, expert_hidden, input)
  })
  const shared = Array.from({ length: shared_experts }, (_, s) => {
    const stream = streamOf(streams.shared, s)
    return reluStack(
      tape,
      parameter,
      `${plan.sharedExperts.name}.${s}`,
      expert_hidden.length,
      stream,
    )
  })
  const ownAreShared = plan.taskExperts[0]?.place === 'trunk'
  const tasks = streams.tasks.map((stream, task) => {
    const site = siteOf(plan.taskGates, task)
    const candidates = [
      ...(own[task] ?? []).map((output) => seenBy(site, output, ownAreShared)),
      ...shared.map((output) => seenBy(site, output, true)),
    ]
    return mixBy(site, seenBy(site, stream, streams.areShared), candidates)
  })
  const pool = plan.options.shared_gate_over === 'all' ? [...own.flat(), ...shared] : shared
  return {
    tasks,
    shared: plan.sharedGates.map((site, s) => mixBy(site, streamOf(streams.shared, s), pool)),
    areShared: plan.taskGates[0]?.place === 'trunk',
  }
}

function siteOf(sites: readonly Site[], task: number): Site {
  const site = sites[task]
  if (site === undefined) throw new MillraceError('BAD_STATE', `no part for task ${task}`)
  return site
}

/** One stream serves every shared expert unless each has its own. */
function streamOf(streams: readonly Var[], s: number): Var {
  const stream = streams[s] ?? streams[0]
  if (stream === undefined) throw new MillraceError('BAD_STATE', `no shared stream ${s}`)
  return stream
}

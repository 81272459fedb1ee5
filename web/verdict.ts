/** @file The answer to the one question of the page: does it learn, and is it fresh? A pure function of a status. */

import type { Status } from '../src/observe/status.ts'
import { count, duration, figure, percent } from './format.ts'

/** `good` all is well; `warn` worth a look; `bad` something must be done; `wait` nothing to judge yet. */
export type State = 'good' | 'warn' | 'bad' | 'wait'

/** One finding. */
export interface Reason {
  readonly state: State
  readonly text: string
}

/** The page's headline and what it rests on. */
export interface Verdict {
  readonly state: State
  readonly title: string
  readonly reasons: readonly Reason[]
}

/** Calibration outside of this is worth a look: a fifth more or less than what was observed. */
const CALIBRATION = { low: 0.8, high: 1.25 }
/** Labelled positives below which quality is not judged. */
const ENOUGH_POSITIVES = 100
/** A version older than so many times the usual distance between versions is old. */
const MISSED_VERSIONS = 3
/** An expert that no gate gives this share, of an even one, is unused. */
const UNUSED_SHARE = 0.02

/** Judges a status that has just arrived. `auc` names each task's AUC at the start of the shown span, where known. */
export function verdictOf(status: Status, before: Readonly<Record<string, number>> = {}): Verdict {
  const reasons = [
    ...learning(status, before),
    ...labels(status),
    ...freshness(status),
    ...experts(status),
  ]
  const state = worst(reasons)
  return { state, title: TITLES[state], reasons }
}

const TITLES: Readonly<Record<State, string>> = {
  good: 'It learns, and it is fresh',
  warn: 'It learns, with something to look at',
  bad: 'It needs help',
  wait: 'It has just begun',
}

function worst(reasons: readonly Reason[]): State {
  for (const state of ['bad', 'warn', 'wait'] as const) {
    if (reasons.some((reason) => reason.state === state)) return state
  }
  return 'good'
}

function learning(status: Status, before: Readonly<Record<string, number>>): Reason[] {
  if (status.samples === 0) {
    const text =
      status.events === 0
        ? 'no event has come yet'
        : `${count(status.events)} events were read; samples come when the first window has ended`
    return [{ state: 'wait', text }]
  }
  const pace: Reason =
    status.samplesPerSecond > 0
      ? { state: 'good', text: `learns from ${count(status.samplesPerSecond)} samples a second` }
      : status.lagRecords > 0
        ? { state: 'warn', text: `stands still, with ${count(status.lagRecords)} records to read` }
        : { state: 'good', text: 'has learned from everything that came' }
  return [pace, ...status.tasks.map((task) => quality(task, before))]
}

function quality(
  { task, window }: Status['tasks'][number],
  before: Readonly<Record<string, number>>,
): Reason {
  const { auc, positives, normalizedEntropy, calibrationRatio } = window
  if (positives < ENOUGH_POSITIVES || auc === undefined) {
    return { state: 'wait', text: `${task}: ${count(positives)} positives so far` }
  }
  if (auc <= 0.5)
    return { state: 'bad', text: `${task}: AUC ${figure(auc)} is no better than chance` }
  if (normalizedEntropy !== undefined && normalizedEntropy >= 1) {
    return { state: 'warn', text: `${task}: predicts no better than its base rate` }
  }
  if (calibrationRatio !== undefined && outside(calibrationRatio, CALIBRATION)) {
    const much = calibrationRatio > 1 ? 'too much' : 'too little'
    return {
      state: 'warn',
      text: `${task}: predicts ${much}, ${figure(calibrationRatio)} of what was observed`,
    }
  }
  const first = before[task]
  const change = first === undefined ? '' : `, ${signed(auc - first)} over the chart`
  return { state: 'good', text: `${task}: AUC ${figure(auc)}${change}` }
}

/** Tasks whose labels come far off the usual rate: they do not learn until that is over. */
function labels({ labels: tasks }: Status): Reason[] {
  return tasks.flatMap(({ task, state }) => {
    const how = state === 'outage' ? 'too few labels come' : 'too many labels come'
    if (state !== 'outage' && state !== 'surge') return []
    return [{ state: 'bad', text: `${task}: ${how}; it does not learn until they come as usual` }]
  })
}

function freshness(status: Status): Reason[] {
  const { version, versions, verdict, lagRecords, eventsPerSecond } = status
  if (verdict?.outcome === 'held') {
    const why = verdict.findings.map(({ message }) => message).join('; ')
    const text = `the gate held back ${count(verdict.heldInRow)} in a row: ${why}`
    return [{ state: 'bad', text }]
  }
  if (version === undefined) return [{ state: 'wait', text: 'no version is published yet' }]
  const age = (status.at - version.at) / 1000
  const usual = usualDistance(versions)
  const working = status.samplesPerSecond > 0 || lagRecords > 0
  const old = working && usual !== undefined && age > MISSED_VERSIONS * Math.max(10, usual)
  const reasons: Reason[] = [
    {
      state: old ? 'bad' : 'good',
      text: `version ${version.sequence} is ${duration(age)} old${old ? `; usually one comes every ${duration(usual)}` : ''}`,
    },
  ]
  const behindSeconds = eventsPerSecond > 0 ? lagRecords / eventsPerSecond : 0
  if (behindSeconds > 60) {
    const text = `${count(lagRecords)} records behind: ${duration(behindSeconds)} at this pace`
    reasons.push({ state: 'warn', text })
  }
  return reasons
}

/** Median distance between versions, seconds. */
function usualDistance(versions: Status['versions']): number | undefined {
  const distances = versions
    .slice(1)
    .map((older, index) => ((versions[index]?.at ?? older.at) - older.at) / 1000)
    .sort((a, b) => a - b)
  return distances[Math.floor(distances.length / 2)]
}

function experts({ examined }: Status): Reason[] {
  if (examined === undefined) return []
  const reasons: Reason[] = unusedExperts(examined.gates).map(({ site, expert, share }) => ({
    state: 'warn',
    text: `expert ${expert} of ${site} gets ${percent(share)} at most: it has collapsed`,
  }))
  const dead = examined.layers.filter(({ units, dead }) => dead > units / 2)
  if (dead.length > 0) {
    const names = dead.map(({ layer }) => layer).join(', ')
    reasons.push({ state: 'warn', text: `more than half of the units are dead in ${names}` })
  }
  return reasons
}

interface Unused {
  readonly site: string
  readonly expert: number
  readonly share: number
}

/** Experts that no gate of a group uses; gates of a group differ in the last part of their name and see as many experts. */
export function unusedExperts(
  gates: readonly { readonly gate: string; readonly shares: readonly number[] }[],
): readonly Unused[] {
  const most = new Map<string, number[]>()
  for (const { gate, shares } of gates) {
    const site = gate.replace(/\.\d+$/, '')
    const known = most.get(site)
    if (known === undefined || known.length !== shares.length) most.set(site, [...shares])
    else for (const [k, share] of shares.entries()) known[k] = Math.max(known[k] ?? 0, share)
  }
  return Array.from(most).flatMap(([site, shares]) =>
    shares.flatMap((share, expert) =>
      share < UNUSED_SHARE / shares.length ? [{ site, expert, share }] : [],
    ),
  )
}

function outside(value: number, { low, high }: { low: number; high: number }): boolean {
  return value < low || value > high
}

function signed(value: number): string {
  return `${value >= 0 ? '+' : '−'}${Math.abs(value).toFixed(4)}`
}

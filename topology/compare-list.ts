/** @file What `millrace compare` trains: every backbone plain and with mutual learning, every balancer on MMoE, every row balancer. */

import { BALANCERS, balancerFrom } from '../src/balance/balancers.ts'
import { rowBalanceOptions } from '../src/balance/row-balancers.ts'
import { MODELS } from '../src/model/models.ts'
import { type ModelOptions, modelOptions } from '../src/model/options.ts'
import type { Job } from '../src/settings/job.ts'

/** The three tables of a leaderboard. */
export const GROUPS = ['backbones', 'balancers', 'row balancers'] as const

/** One row of the leaderboard. */
export interface Configuration {
  readonly group: (typeof GROUPS)[number]
  readonly name: string
  /** The compared job with other `model`, `balance`, `row_balance` or `train.gradients_at`. */
  readonly job: Job
  /** How many of the job's tasks it learns, from the first on: ESMM has two. */
  readonly tasks: number
  /** What the job file itself asks for. */
  readonly isDefault: boolean
}

/** Every configuration, in the order of the lists in `src/model/models.ts` and `src/balance/balancers.ts`. */
export function configurationsOf(job: Job): Configuration[] {
  const equal = { balance: { kind: 'equal' }, row_balance: undefined }
  const mmoe = { ...job, ...equal, model: modelLike(job.model, 'mmoe') }
  return [...backbones({ ...job, ...equal }), ...balancers(mmoe), ...rowBalancers(mmoe)].map(
    (row) => ({ ...row, isDefault: sameLearning(row.job, job) }),
  )
}

type Row = Omit<Configuration, 'isDefault'>

function backbones(job: Job): Row[] {
  return MODELS.flatMap(({ kind }) => {
    const tasks = kind === 'esmm' ? Math.min(2, job.join.tasks.length) : job.join.tasks.length
    return [{}, { dml: {} }].map((more): Row => {
      const name = 'dml' in more ? `${kind} + DML` : kind
      return {
        group: 'backbones',
        name: tasks < job.join.tasks.length ? `${name}, first two tasks` : name,
        job: { ...job, model: modelLike(job.model, kind, more) },
        tasks,
      }
    })
  })
}

/** At the cut, or where a method must or in its paper does compare gradients elsewhere. */
function balancers(job: Job): Row[] {
  const row = (kind: string, at: Job['train']['gradients_at'], note = ''): Row => ({
    group: 'balancers',
    name: `${kind}${note}`,
    job: { ...job, balance: { kind }, train: { ...job.train, gradients_at: at } },
    tasks: job.join.tasks.length,
  })
  return [
    ...BALANCERS.map(({ kind }) =>
      balancerFrom({ kind }).needs === 'gradients'
        ? row(kind, 'parameters', ' at parameters')
        : row(kind, 'representation'),
    ),
    row('pcgrad', 'parameters', ' at parameters'),
    ...['gradvac', 'metabalance'].map((kind) => row(kind, 'tensors', ' per tensor')),
  ]
}

function rowBalancers(job: Job): Row[] {
  const settings = [
    ['pmtrec, tau 1', { kind: 'pmtrec' }],
    ['pmtrec, tau relative to the mean norm', { kind: 'pmtrec', relativeTau: true }],
    ['pmtrec, paper mode', { kind: 'pmtrec', relativeTau: true, mode: 'paper', alpha: 1.04 }],
    ['metabalance', { kind: 'metabalance' }],
  ] as const
  return settings.map(([name, options]) => ({
    group: 'row balancers',
    name,
    job: { ...job, row_balance: rowBalanceOptions.parse(options) },
    tasks: job.join.tasks.length,
  }))
}

/** Another kind with the job's widths where it has such layers; the rest is that kind's default. */
function modelLike(model: ModelOptions, kind: string, more: object = {}): ModelOptions {
  const same = model.kind === kind ? { ...model, dml: undefined } : {}
  const { dim, tower_hidden, wide } = model
  const hidden = 'expert_hidden' in model ? model.expert_hidden : undefined
  const widths = { dim, tower_hidden, wide, expert_hidden: hidden, bottom_hidden: hidden }
  const known = MODELS.find((one) => one.kind === kind)?.options.shape ?? {}
  const fitting = Object.entries({ ...widths, ...same, ...more }).filter(
    ([key, value]) => value !== undefined && Object.hasOwn(known, key),
  )
  return modelOptions.parse({ ...Object.fromEntries(fitting), kind })
}

function sameLearning(a: Job, b: Job): boolean {
  const learning = ({ model, balance, row_balance, train }: Job): string =>
    JSON.stringify([
      sortedEntries(model),
      sortedEntries(balancerDefaults(balance)),
      row_balance,
      train.gradients_at,
    ])
  return learning(a) === learning(b)
}

function balancerDefaults(balance: Job['balance']): Readonly<Record<string, unknown>> {
  const method = BALANCERS.find(({ kind }) => kind === balance.kind)
  return method?.settings.parse(balance) ?? balance
}

function sortedEntries(object: object): readonly (readonly [string, unknown])[] {
  return Object.entries(object)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

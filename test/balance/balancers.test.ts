/** @file The balancer contract over every method of the list, each with the law it claims. */

import { describe, expect, it } from 'vitest'
import { BALANCERS, balancerFrom } from '../../src/balance/balancers.ts'
import { type BalancerLaw, balancerContract } from '../contracts/balancer.contract.ts'

const sum: BalancerLaw = {
  settings: { kind: 'equal' },
  single: 'own',
  degree: 1,
  invariant: false,
  orderFreeUpTo: 6,
  dropsExactly: true,
}

/** One line per claim that differs from the plain sum's; `variants` are further settings of a kind. */
const LAWS: Readonly<Record<string, BalancerLaw>> = {
  equal: sum,
  rlw: { ...sum, settings: { kind: 'rlw', seed: 3 }, orderFreeUpTo: 1, dropsExactly: false },
  uncertainty: { ...sum, settings: { kind: 'uncertainty' } },
  'uncertainty half': {
    ...sum,
    settings: { kind: 'uncertainty', form: 'half', initial: -0.5 },
    single: 'direction',
  },
  dwa: { ...sum, settings: { kind: 'dwa', window: 2 } },
  'dwa period': { ...sum, settings: { kind: 'dwa', form: 'period', periodSteps: 2 } },
  gls: { ...sum, settings: { kind: 'gls' }, invariant: true },
  stch: {
    ...sum,
    settings: { kind: 'stch', warmupSteps: 3 },
    single: 'direction',
    degree: 0,
    invariant: true,
  },
  'stch without warm-up': {
    ...sum,
    settings: { kind: 'stch', warmupSteps: 0 },
    single: 'direction',
    degree: 0,
    invariant: true,
  },
  'imtl-l': { ...sum, settings: { kind: 'imtl-l' } },
  famo: { ...sum, settings: { kind: 'famo' }, invariant: true },
  gradnorm: { ...sum, settings: { kind: 'gradnorm' } },
  mgda: {
    ...sum,
    settings: { kind: 'mgda', normalization: 'l2' },
    single: 'direction',
    degree: 0,
    invariant: true,
  },
  'mgda none': { ...sum, settings: { kind: 'mgda', normalization: 'none' } },
  'mgda loss': {
    ...sum,
    settings: { kind: 'mgda', normalization: 'loss' },
    single: 'direction',
    degree: 0,
    invariant: true,
  },
  'mgda loss+': {
    ...sum,
    settings: { kind: 'mgda', normalization: 'loss+' },
    single: 'direction',
    degree: -1,
  },
  pcgrad: { ...sum, settings: { kind: 'pcgrad', seed: 5 }, orderFreeUpTo: 2 },
  gradvac: { ...sum, settings: { kind: 'gradvac', seed: 5 }, orderFreeUpTo: 2 },
  cagrad: { ...sum, settings: { kind: 'cagrad' }, single: 'direction' },
  'nash-mtl': {
    ...sum,
    settings: { kind: 'nash-mtl', maxNorm: 0 },
    single: 'direction',
    degree: 0,
    invariant: true,
  },
  fairgrad: {
    ...sum,
    settings: { kind: 'fairgrad', alpha: 2 },
    single: 'direction',
    degree: -1 / 3,
  },
  'imtl-g': { ...sum, settings: { kind: 'imtl-g' }, invariant: true },
  imtl: { ...sum, settings: { kind: 'imtl' }, invariant: true },
  'aligned-mtl': { ...sum, settings: { kind: 'aligned-mtl' } },
  metabalance: {
    ...sum,
    settings: { kind: 'metabalance' },
    permuted: (permutation) => ({ kind: 'metabalance', target: permutation.indexOf(0) }),
  },
  'db-mtl': {
    ...sum,
    settings: { kind: 'db-mtl', sigma: 0.5 },
    single: 'direction',
    degree: 0,
    invariant: true,
  },
  gradcraft: { ...sum, settings: { kind: 'gradcraft', tau: 0.5, epsilon: 0.1, ema: 0.5 } },
  'gradcraft, equal norms': { ...sum, settings: { kind: 'gradcraft' }, invariant: true },
  'equal, bounded': {
    ...sum,
    settings: { kind: 'equal', bounds: { maximum: 0.5 } },
    single: 'direction',
  },
  'imtl-g, smoothed': {
    ...sum,
    settings: { kind: 'imtl-g', smoothing: { decay: 0.9 } },
    invariant: true,
  },
}

for (const [name, law] of Object.entries(LAWS)) balancerContract(name, law)

describe('the list of balancers', () => {
  it('has every method under contract, with its defaults or a variant', () => {
    const underContract = new Set(Object.values(LAWS).map((law) => law.settings.kind))
    expect([...underContract].sort()).toEqual(BALANCERS.map(({ kind }) => kind).sort())
  })

  it('makes every method from its name alone', () => {
    for (const { kind } of BALANCERS) expect(balancerFrom({ kind }).name).toBe(kind)
  })

  it('names the kinds there are when a job asks for another', () => {
    expect(() => balancerFrom({ kind: 'pcgard' })).toThrow(
      expect.objectContaining({
        code: 'BAD_SETTINGS',
        message: expect.stringContaining("'pcgard'"),
        remedy: expect.stringContaining('pcgrad'),
      }),
    )
  })

  it('refuses an option that the method does not have, with the option named', () => {
    expect(() => balancerFrom({ kind: 'equal', alpha: 1 })).toThrow(/alpha/)
  })

  it('points settings at the option that is wrong', () => {
    const found = BALANCERS.find(({ kind }) => kind === 'cagrad')
    const { error } = found!.settings.safeParse({ kind: 'cagrad', c: -1 })
    expect(error?.issues.map(({ path }) => path)).toEqual([['c']])
  })

  it('says in the name what is wrapped around a method, so that nobody takes it for the plain one', () => {
    const settings = { kind: 'pcgrad', smoothing: {}, bounds: {} }
    expect(balancerFrom(settings).name).toBe('pcgrad, smoothed, bounded')
  })

  it('refuses to smooth what has no Gram matrix', () => {
    expect(() => balancerFrom({ kind: 'gls', smoothing: {} })).toThrow(/gls/)
    expect(() => balancerFrom({ kind: 'db-mtl', bounds: {} })).toThrow(/db-mtl/)
  })
})

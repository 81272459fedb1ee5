/** @file The model contract on every kind in the list, plain and with mutual learning, and on the settings that change who trains what. */

import { describe, expect, test } from 'vitest'
import { MODELS } from '../../src/model/models.ts'
import { modelContract } from '../contracts/model.contract.ts'
import type { ModelCase } from '../contracts/model-case.ts'

/** Widths that keep the contract quick; a kind without a line here is checked with its defaults. */
const SMALL: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'shared-bottom': { bottom_hidden: [6, 4] },
  omoe: { experts: 3, expert_hidden: [5], gate_hidden: [4] },
  mmoe: { experts: 3, expert_hidden: [5, 4], gate_hidden: [4] },
  ple: { expert_hidden: [5], gate_hidden: [3] },
  stem: { expert_hidden: [5], gate_hidden: [4] },
  dephn: { public_hidden: [5], cross_layers: 2, field_layers: 2 },
  aitm: { bottom_hidden: [5, 4] },
  esmm: {},
}

function smallOptions(kind: string): Record<string, unknown> {
  return { kind, dim: 3, ...(kind === 'dephn' ? {} : { tower_hidden: [4] }), ...SMALL[kind] }
}

function taskCounts(kind: string): readonly number[] {
  return kind === 'esmm' ? [2] : [1, 2, 3, 6]
}

for (const { kind } of MODELS) {
  for (const tasks of taskCounts(kind)) {
    const options = smallOptions(kind)
    modelContract({ name: kind, tasks, dense: 0, options })
    modelContract({ name: `${kind} with dml`, tasks, dense: 0, options: { ...options, dml: {} } })
  }
  modelContract({
    name: `${kind}, wide`,
    tasks: 2,
    dense: 2,
    options: { ...smallOptions(kind), wide: true },
  })
}

const ple = smallOptions('ple')
const chain = [
  { task: 'task-1', given: 'task-0' },
  { task: 'task-2', given: 'task-1' },
]
const variants: readonly (Omit<ModelCase, 'dense' | 'name'> & { name?: string })[] = [
  ...['all', 'shared'].flatMap((shared_gate_over) =>
    [2, 3].map((levels) => ({ tasks: 3, options: { ...ple, levels, shared_gate_over } })),
  ),
  { tasks: 2, options: { ...ple, levels: 2, shared_streams: 'per-expert' } },
  { tasks: 2, options: { ...ple, specific_experts: 2, dml: { gate_layers: 2 } } },
  { tasks: 3, options: { ...smallOptions('stem'), gate_input: 'task', specific_experts: 2 } },
  { tasks: 3, options: { ...smallOptions('stem'), conditional: chain, wide: true } },
  { tasks: 3, options: { ...smallOptions('stem'), dml: { stop_gradient: false } } },
  { tasks: 2, options: { ...smallOptions('dephn'), tower_hidden: [4], cross_residual: false } },
  { tasks: 3, options: { ...smallOptions('mmoe'), conditional: chain } },
  { tasks: 2, options: { ...smallOptions('mmoe'), dml: { ctfm: false } } },
  { tasks: 2, options: { ...smallOptions('mmoe'), dml: { gkd: false } } },
  { tasks: 2, options: { ...smallOptions('mmoe'), tower_hidden: [], dml: {} } },
]

for (const { tasks, options } of variants) {
  const { kind, ...rest } = options
  modelContract({ name: `${kind} ${JSON.stringify(rest)}`, tasks, dense: 1, options })
}

describe('the list of models', () => {
  test('names every kind once and each by what its options say', () => {
    const kinds = MODELS.map((model) => model.kind)
    expect(new Set(kinds).size).toBe(kinds.length)
    expect(MODELS.map((model) => model.options.shape.kind.value)).toEqual(kinds)
  })
})

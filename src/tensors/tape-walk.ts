/** @file Looks at what a forward pass recorded: which values were computed from which, for reports on the inside of a model. */

import type { TapeNode, Var } from './tape-node.ts'

/** Every value that `ends` were computed from, `ends` included, each once. What a stop-gradient hides is not reached. */
export function ancestorsOf(ends: readonly Var[]): readonly Var[] {
  const found = new Set<TapeNode>()
  const open = [...(ends as TapeNode[])]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (found.has(node)) continue
    found.add(node)
    open.push(...node.inputs)
  }
  return [...found]
}

/** Whether `value` is the direct result of an operation on `input`. */
export function readsFrom(value: Var, input: Var): boolean {
  return (value as TapeNode).inputs.some((one) => one === input)
}

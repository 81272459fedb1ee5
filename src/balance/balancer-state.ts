/** @file Reading a balancer's state, which a checkpoint may have brought: a missing or misshapen entry is named, not guessed. */

import { MillraceError } from '../errors.ts'
import type { BalancerState } from './balancer.ts'

/** The numbers under `key`, checked to be `length` of them; BAD_STATE otherwise. */
export function numbersOf(state: BalancerState, key: string, length: number): readonly number[] {
  const numbers = state[key]
  if (numbers === undefined || numbers.length !== length) {
    throw new MillraceError(
      'BAD_STATE',
      `balancer state has ${numbers?.length ?? 'no'} numbers under '${key}', expected ${length}`,
      {
        remedy: 'resume with the balancer, options and tasks that the checkpoint was written with',
      },
    )
  }
  return numbers
}

/** The single number under `key`. */
export function numberOf(state: BalancerState, key: string): number {
  const [number = 0] = numbersOf(state, key, 1)
  return number
}

/** A list of `length` equal numbers, the usual first state. */
export function filled(length: number, value: number): number[] {
  return new Array<number>(length).fill(value)
}

/** A copy of `numbers` with `values[k]` at `indices[k]`: the new state of active tasks beside the kept state of the others. */
export function replaced(
  numbers: readonly number[],
  indices: readonly number[],
  values: ArrayLike<number>,
): number[] {
  const copy = [...numbers]
  indices.forEach((task, k) => {
    copy[task] = values[k]!
  })
  return copy
}

/** @file Collects the cut of a forward pass: shared values are copied once as they enter task-specific parts. */

import type { Tape, Var } from '../tensors/tape.ts'

/** One forward pass's cut; see model.ts for what a learner does with it. */
export class SharedCut {
  readonly #tape: Tape
  readonly #lifted = new Map<Var, Var>()

  constructor(tape: Tape) {
    this.#tape = tape
  }

  /**
   * The value as the parts above the cut see it. Its gradient is one task's share even where shared parts read the same value
   * below the cut; lifting a value twice gives the same copy.
   */
  lift(value: Var): Var {
    let copy = this.#lifted.get(value)
    if (copy === undefined) {
      copy = copyOf(this.#tape, value)
      this.#lifted.set(value, copy)
    }
    return copy
  }

  /** Everything lifted so far, in order. */
  values(): Var[] {
    return [...this.#lifted.values()]
  }
}

/** The same numbers as another variable of the tape: the identity. */
export function copyOf(tape: Tape, value: Var): Var {
  return tape.reshape(value, value.shape)
}

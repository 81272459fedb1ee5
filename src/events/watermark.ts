/** @file Event-time progress: which events come too late, and up to when the stream is complete. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Stage } from '../stage.ts'
import { END_OF_TIME, type EventTime, START_OF_TIME } from '../time.ts'

/**
 * Behind what a late event came: `out-of-order`, more than the lateness behind its own partition's newest event;
 * `idle-input`, behind the watermark, which had stopped waiting for its partition.
 */
export type LateReason = 'out-of-order' | 'idle-input'

type InputState = 0 | 1 | 2
const ACTIVE: InputState = 0
const IDLE: InputState = 1
const FINISHED: InputState = 2

/**
 * The watermark is the least (newest time - lateness) of the active inputs and never falls. On active inputs lateness
 * depends on the order within the partition only, so neither polls nor interleaving decide it (law 7).
 */
export class Watermark implements Stage {
  readonly #latenessMs: number
  readonly #newest: Float64Array
  readonly #state: Uint8Array
  #current: EventTime = START_OF_TIME
  /** The input that holds the watermark back; only its progress can move it. -1: none is active. */
  #holder: number

  constructor(inputs: number, latenessMs: number) {
    this.#latenessMs = latenessMs
    this.#newest = new Float64Array(inputs).fill(START_OF_TIME)
    this.#state = new Uint8Array(inputs)
    this.#holder = 0
    this.#advance()
  }

  /** Every event that is not late has this time or a later one. */
  get current(): EventTime {
    return this.#current
  }

  /** The newest event time of an input. */
  newest(input: number): EventTime {
    return this.#newest[input] ?? START_OF_TIME
  }

  /** The newest event time of all inputs. */
  get newestOfAll(): EventTime {
    return this.#newest.reduce((newest, time) => Math.max(newest, time), START_OF_TIME)
  }

  /** Takes note of an event and says whether it is late. An event wakes an idle input; on a finished one it is a BAD_STATE error. */
  observe(input: number, time: EventTime): 'on-time' | LateReason {
    if (this.#state[input] !== ACTIVE) this.#wake(input)
    const newest = this.#newest[input]!
    if (time < newest - this.#latenessMs) return 'out-of-order'
    if (time > newest) {
      this.#newest[input] = time
      if (input === this.#holder) this.#advance()
    }
    // An active input's own bound is never below the watermark, unless it was idle while that moved on.
    return time < this.#current ? 'idle-input' : 'on-time'
  }

  /** An idle input does not hold the watermark back. When all are idle it stays where it is. */
  setIdle(input: number, idle: boolean): void {
    if (this.#state[this.#checked(input)] === FINISHED) return
    this.#state[input] = idle ? IDLE : ACTIVE
    this.#advance()
  }

  /** Nothing more will come from this input. After the last one the watermark is the end of time. */
  finish(input: number): void {
    this.#state[this.#checked(input)] = FINISHED
    this.#advance()
  }

  finishAll(): void {
    this.#state.fill(FINISHED)
    this.#advance()
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter().text('watermark 1').f64(this.#current)
    return writer.array(this.#newest).array(this.#state).finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes).expect('watermark 1')
    const current = reader.f64()
    const newest = reader.float64()
    const state = reader.uint8()
    reader.end()
    if (newest.length !== this.#newest.length || state.length !== newest.length) {
      throw new MillraceError(
        'CORRUPT',
        `a watermark of ${newest.length} inputs for a job with ${this.#newest.length}`,
        { remedy: 'restore with the topics and partition counts that the snapshot was taken with' },
      )
    }
    this.#newest.set(newest)
    this.#state.set(state)
    this.#current = current
    this.#advance()
  }

  #wake(input: number): void {
    if (this.#state[this.#checked(input)] === FINISHED) {
      throw new MillraceError('BAD_STATE', `an event on input ${input}, which was finished`)
    }
    this.setIdle(input, false)
  }

  #advance(): void {
    let least = END_OF_TIME
    let holder = -1
    let finished = 0
    for (let input = 0; input < this.#state.length; input++) {
      if (this.#state[input] === FINISHED) finished++
      if (this.#state[input] !== ACTIVE || this.#newest[input]! >= least) continue
      least = this.#newest[input]!
      holder = input
    }
    this.#holder = holder
    if (holder >= 0) this.#current = Math.max(this.#current, least - this.#latenessMs)
    else if (finished === this.#state.length) this.#current = END_OF_TIME
  }

  #checked(input: number): number {
    if (input >= 0 && input < this.#state.length) return input
    throw new MillraceError('BAD_STATE', `input ${input} of ${this.#state.length}`)
  }
}

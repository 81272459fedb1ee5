/** @file Counts where every record went, per input, and checks that none is missing (law 5). */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'
import type { Event, MalformedReason } from '../events/event.ts'
import type { EventKind } from '../events/event-kind.ts'
import type { JoinOutputs, LateEvent } from './join-outputs.ts'

/** Where the records of one kind went since the start of the log; shaped as `observe/accounting.ts` reads it. */
export interface KindAccounting {
  readonly topic: string
  readonly kind: string
  /** Records read. */
  readonly in: number
  /** Impressions whose last row has left, feedback that set a label, tombstones. */
  readonly joined: number
  /** Open impressions of users that were erased. */
  readonly erased: number
  readonly duplicates: number
  readonly late: Readonly<Record<LateEvent['reason'], number>>
  readonly orphans: number
  readonly deadLetters: Readonly<Record<MalformedReason, number>>
  /** Events that wait for the watermark, impressions that wait for a window's end. */
  readonly open: number
}

/** The columns of the table of counts; all but the first are places where a record can end. */
const IN = 0
const JOINED = 1
const DUPLICATES = 2
const ORPHANS = 3
const LATE: Readonly<Record<LateEvent['reason'], number>> = {
  'out-of-order': 4,
  'idle-input': 5,
  'after-window': 6,
}
const DEAD: Readonly<Record<MalformedReason, number>> = {
  undecodable: 7,
  id: 8,
  time: 9,
  key: 10,
  label: 11,
}
const ERASED = 12
const COLUMNS = 13

/** Outputs are counted from what was really given out, and what is open from what is really held. */
export class Ledger {
  readonly #kinds: readonly EventKind[]
  /** Inputs x columns. */
  readonly #counts: Float64Array

  /** `kinds`: the kind of each input. */
  constructor(kinds: readonly EventKind[]) {
    this.#kinds = kinds
    this.#counts = new Float64Array(kinds.length * COLUMNS)
  }

  countIn(input: number): void {
    if (!(input < this.#kinds.length)) {
      throw new MillraceError('BAD_STATE', `input ${input} of ${this.#kinds.length}`)
    }
    this.#counts[input * COLUMNS + IN]!++
  }

  countOut(outputs: Omit<JoinOutputs, 'samples'>): void {
    for (const { source } of outputs.sampled) this.#count(source.input, JOINED)
    for (const { event } of outputs.joined) this.#count(event.source.input, JOINED)
    for (const { source } of outputs.erased) this.#count(source.input, ERASED)
    for (const { source } of outputs.duplicates) this.#count(source.input, DUPLICATES)
    for (const { source } of outputs.orphans) this.#count(source.input, ORPHANS)
    for (const { event, reason } of outputs.late) {
      this.#count(event.source.input, LATE[reason])
    }
    for (const { reason, source } of outputs.deadLetters) {
      this.#count(source.input, DEAD[reason])
    }
  }

  /** BAD_STATE unless in = out + open, over all inputs. */
  check(open: number): void {
    let unaccounted = -open
    for (let at = 0; at < this.#counts.length; at++) {
      unaccounted += at % COLUMNS === IN ? this.#counts[at]! : -this.#counts[at]!
    }
    if (unaccounted !== 0) throw unbalanced(unaccounted, 'the join')
  }

  /** One entry per kind, in the order of the inputs; BAD_STATE unless in = out + open for each of them. */
  accounting(open: readonly Event[]): KindAccounting[] {
    const openOfKind = new Map<string, number>()
    for (const { kind } of open) openOfKind.set(kind, (openOfKind.get(kind) ?? 0) + 1)
    return [...new Map(this.#kinds.map((kind) => [kind.kind, kind])).values()].map((kind) =>
      this.#kindAccounting(kind, openOfKind.get(kind.kind) ?? 0),
    )
  }

  write(writer: ByteWriter): void {
    writer.array(this.#counts)
  }

  read(reader: ByteReader): void {
    const counts = reader.float64()
    if (counts.length !== this.#counts.length) {
      throw new MillraceError('CORRUPT', `${counts.length} counts, not ${this.#counts.length}`)
    }
    this.#counts.set(counts)
  }

  #count(input: number, column: number): void {
    this.#counts[input * COLUMNS + column]!++
  }

  #kindAccounting({ kind, topic }: EventKind, open: number): KindAccounting {
    const sum = (column: number): number => {
      let total = 0
      for (const [input, other] of this.#kinds.entries()) {
        if (other.kind === kind) total += this.#counts[input * COLUMNS + column]!
      }
      return total
    }
    let unaccounted = sum(IN) - open
    for (let column = IN + 1; column < COLUMNS; column++) unaccounted -= sum(column)
    if (unaccounted !== 0) throw unbalanced(unaccounted, kind)
    return {
      topic,
      kind,
      in: sum(IN),
      joined: sum(JOINED),
      erased: sum(ERASED),
      duplicates: sum(DUPLICATES),
      late: {
        'out-of-order': sum(LATE['out-of-order']),
        'idle-input': sum(LATE['idle-input']),
        'after-window': sum(LATE['after-window']),
      },
      orphans: sum(ORPHANS),
      deadLetters: {
        undecodable: sum(DEAD.undecodable),
        id: sum(DEAD.id),
        time: sum(DEAD.time),
        key: sum(DEAD.key),
        label: sum(DEAD.label),
      },
      open,
    }
  }
}

function unbalanced(unaccounted: number, where: string): MillraceError {
  return new MillraceError('BAD_STATE', `${unaccounted} records of ${where} are unaccounted for`, {
    remedy: 'this is a fault of the program: report it with the job file and the log',
  })
}

/** @file Where the records of every input topic went, and the identity that they all went somewhere (law 5). */

/** Counts by reason; the reasons come from a fixed list of the stage that counted them. */
export type CountsByReason = Readonly<Record<string, number>>

/** The records of one input topic since the start of the log. */
export interface InputAccounting {
  readonly topic: string
  /** Event kind of the topic: `impression`, `click`, ... */
  readonly kind: string
  /** Records read. */
  readonly in: number
  /** Feedback that set a label, impressions that became samples. */
  readonly joined: number
  /** Impressions of users that were erased while their labels were still to come. */
  readonly erased: number
  readonly duplicates: number
  readonly late: CountsByReason
  readonly orphans: number
  readonly deadLetters: CountsByReason
  /** Events that still wait for the watermark or for their window to end. */
  readonly open: number
}

/** Sum over the reasons. */
export function total(counts: CountsByReason): number {
  let sum = 0
  for (const count of Object.values(counts)) sum += count
  return sum
}

/** Records that ended in no counted place; 0 unless the program is wrong, negative when some were counted twice. */
export function unaccounted(input: InputAccounting): number {
  const { joined, erased, duplicates, late, orphans, deadLetters, open } = input
  return (
    input.in - (joined + erased + duplicates + total(late) + orphans + total(deadLetters) + open)
  )
}

/** @file Fair measuring: the sides of a comparison take turns in one run, and medians are what counts. */

/** One side: `round` does the work once and gives what was measured, a rate or a time. */
export interface Contestant {
  readonly name: string
  readonly round: () => number | Promise<number>
}

/**
 * Lets the sides take turns, `rounds` times each after `warmups` that do not count. Every other turn runs in reverse
 * order, so that a machine that slows down slows all of them. Gives the values by side, in order of the rounds.
 */
export async function takeTurns(
  sides: readonly Contestant[],
  { rounds, warmups = 1 }: { readonly rounds: number; readonly warmups?: number },
): Promise<ReadonlyMap<string, readonly number[]>> {
  const values = new Map<string, number[]>(sides.map(({ name }) => [name, []]))
  for (let turn = -warmups; turn < rounds; turn++) {
    const order = turn % 2 === 0 ? sides : [...sides].reverse()
    for (const side of order) {
      const value = await side.round()
      if (turn >= 0) values.get(side.name)?.push(value)
    }
  }
  return values
}

/** The middle value; of an even number of values the mean of the middle two. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The smallest value that at least `share` of the values do not exceed; NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** Seconds that `work` took. */
export async function secondsOf(work: () => unknown): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

/** Milliseconds of all processors that this process has used; does not grow while others have them. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** @file How unlikely a count is when so many are expected: exact tails of the Poisson distribution. */

/** P(X <= count) for a Poisson variable of this mean. */
export function poissonAtMost(count: number, mean: number): number {
  if (count < 0) return 0
  let term = Math.exp(-mean)
  let sum = term
  for (let k = 1; k <= count; k++) {
    term *= mean / k
    sum += term
  }
  return Math.min(1, sum)
}

/** P(X >= count); summed from there on, so that a tiny tail keeps its digits. */
export function poissonAtLeast(count: number, mean: number): number {
  if (count <= 0) return 1
  let log = -mean
  for (let k = 1; k <= count; k++) log += Math.log(mean / k)
  let term = Math.exp(log)
  let sum = term
  for (let k = count + 1; term > sum * 1e-12 && k < count + 10_000; k++) {
    term *= mean / k
    sum += term
  }
  return Math.min(1, sum)
}

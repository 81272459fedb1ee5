/** @file The slope of a function by two of its values. */

/** Central difference with a step that suits values around 1. */
export function finiteDifference(f: (x: number) => number, at: number): number {
  const step = 1e-5
  return (f(at + step) - f(at - step)) / (2 * step)
}

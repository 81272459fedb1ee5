/** @file Solves C b = k ∘ b^(-q), b > 0, by damped Newton: the equation behind Nash-MTL (q = 1) and FairGrad (q = 1/alpha). */

import { dot, gramTimes } from './gram.ts'
import { solveLinear } from './linear-solve.ts'

/** Relative ridge: where gradients cancel (a Pareto-stationary point) no finite root exists and this gives a large one. */
const RIDGE = 1e-12
/** Below this share of the objective's terms a predicted gain is rounding: full steps from there, while they still shrink. */
const RESOLVED = 1e-14
const ROUNDS = 200
/** Past this multiple of the orthogonal start the ridge has lost: C was not positive semi-definite, as float32 sums can be. */
const RUNAWAY = 1e8

/** C, k and q of the equation; `c` row-major n x n. */
interface Equation {
  readonly c: Float64Array
  readonly k: Float64Array
  readonly q: number
}

/**
 * The root b is the minimiser of the strictly convex 1/2 bᵀCb - sum_i k_i phi(b_i), phi' = b^(-q), so Newton with a line search
 * finds it from anywhere. C is row-major n x n, positive semi-definite with unit diagonal (gradients scaled to norm 1, which
 * makes the root independent of their scales); k > 0. The start is exact when gradients are orthogonal.
 */
export function solvePowerEquation(c: Float64Array, k: Float64Array, q: number): Float64Array {
  const n = k.length
  const equation = { c: c.map((value, at) => (at % (n + 1) === 0 ? value + RIDGE : value)), k, q }
  let b: Float64Array = k.map((value) => value ** (1 / (q + 1)))
  const ceiling = RUNAWAY * Math.max(...b)
  let lastStep = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const slope = logSlope(equation, b)
    const direction = newtonDirection(equation, b, slope)
    if (direction === undefined) break
    const decrease = dot(slope, direction)
    const { value, size } = objective(equation, b)
    if (-decrease <= RESOLVED * size) {
      const longest = direction.reduce((most, d) => Math.max(most, Math.abs(d)), 0)
      // A long step that does not shrink is a root many decades below its task's share (large alpha): keep going.
      if (longest < 0.1 && longest > 0.5 * lastStep) break
      lastStep = longest
      b = moved(b, direction, 1)
      continue
    }
    const next = searched(equation, b, direction, value, decrease)
    if (next === undefined || Math.max(...next) > ceiling) break
    b = next
  }
  return b
}

/** The objective's slope in y = log b, b ∘ (C b) - k b^(1-q): steps in y keep b positive whatever their length. */
function logSlope({ c, k, q }: Equation, b: Float64Array): Float64Array {
  return gramTimes(c, b).map((product, i) => b[i]! * product - k[i]! * b[i]! ** (1 - q))
}

/**
 * Minus (BCB + diag(q k b^(1-q) + max(slope, 0)))^-1 slope: the Hessian in y where it matters (at the root, and where b is too
 * large, so that a steep barrier is not overshot), and that of b, which is always positive definite, elsewhere.
 */
function newtonDirection(
  { c, k, q }: Equation,
  b: Float64Array,
  slope: Float64Array,
): Float64Array | undefined {
  const n = b.length
  const hessian = c.map((value, at) => value * b[Math.floor(at / n)]! * b[at % n]!)
  for (let i = 0; i < n; i++) {
    hessian[i * n + i]! += q * k[i]! * b[i]! ** (1 - q) + Math.max(slope[i]!, 0)
  }
  return solveLinear(
    hessian,
    slope.map((value) => -value),
  )
}

/** The first of 1, 1/2, 1/4, ... of the step that decreases the objective enough; undefined when none does. */
function searched(
  equation: Equation,
  b: Float64Array,
  direction: Float64Array,
  start: number,
  decrease: number,
): Float64Array | undefined {
  for (let step = 1; step > 1e-12; step /= 2) {
    const next = moved(b, direction, step)
    if (objective(equation, next).value <= start + 1e-4 * step * decrease) return next
  }
  return undefined
}

function moved(b: Float64Array, direction: Float64Array, step: number): Float64Array {
  return b.map((value, i) => value * Math.exp(step * direction[i]!))
}

/** The objective, and the size of the terms it is the difference of. */
function objective({ c, k, q }: Equation, b: Float64Array): { value: number; size: number } {
  const quadratic = 0.5 * dot(b, gramTimes(c, b))
  let gain = 0
  for (let i = 0; i < b.length; i++) {
    gain += k[i]! * (q === 1 ? Math.log(b[i]!) : b[i]! ** (1 - q) / (1 - q))
  }
  return { value: quadratic - gain, size: quadratic + Math.abs(gain) }
}

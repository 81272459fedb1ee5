/** @file Exact minimiser of a convex quadratic on the simplex, by the primal active-set method (Nocedal & Wright 16.5). */

import { dot, gramTimes } from './gram.ts'
import { solveLinear } from './linear-solve.ts'

/** Relative ridge on the diagonal: picks one point when several minimise, and moves a unique one less than 1e-11. */
const RIDGE = 1e-13
/** A multiplier above this (after scaling to largest entry 1) is not worth another face. */
const OPTIMAL = -1e-13

/**
 * argmin over w >= 0, sum w = 1 of 1/2 wᵀHw + linearᵀw, for positive semi-definite H, row-major n x n, n >= 1. The result lies
 * on the optimal face exactly: entries off it are 0, not small.
 */
export function minimiseOnSimplex(hessian: Float64Array, linear: Float64Array): Float64Array {
  const n = linear.length
  const { h, g } = scaled(hessian, linear)
  let w: Float64Array = new Float64Array(n)
  const first = bestVertex(h, g)
  w[first] = 1
  const free = [first]
  // Every face is left at most once in exact arithmetic; the bound only guards against rounding.
  for (let round = 0; round < 20 * n + 20; round++) {
    const target = onFace(h, g, free)
    if (target.some((value) => value < 0)) {
      w = towards(w, target, free)
      continue
    }
    w = target
    const entering = mostViolated(h, g, w, free)
    if (entering === undefined) break
    free.push(entering)
  }
  return w
}

function scaled(hessian: Float64Array, linear: Float64Array): { h: Float64Array; g: Float64Array } {
  const n = linear.length
  let most = Number.MIN_VALUE
  for (const value of hessian) most = Math.max(most, Math.abs(value))
  const h = hessian.map((value) => value / most)
  for (let i = 0; i < n; i++) h[i * n + i]! += RIDGE * (h[i * n + i]! + 1e-3)
  return { h, g: linear.map((value) => value / most) }
}

function bestVertex(h: Float64Array, g: Float64Array): number {
  const value = (i: number): number => 0.5 * h[i * g.length + i]! + g[i]!
  let best = 0
  for (let i = 1; i < g.length; i++) if (value(i) < value(best)) best = i
  return best
}

/** The minimiser with only the free entries allowed to differ from 0 and no sign rule: one KKT system. */
function onFace(h: Float64Array, g: Float64Array, free: readonly number[]): Float64Array {
  const n = g.length
  const m = free.length + 1
  const kkt = new Float64Array(m * m)
  const right = new Float64Array(m).fill(1)
  free.forEach((i, a) => {
    free.forEach((j, b) => {
      kkt[a * m + b] = h[i * n + j]!
    })
    kkt[a * m + m - 1] = 1
    kkt[(m - 1) * m + a] = 1
    right[a] = -g[i]!
  })
  const solution = solveLinear(kkt, right)
  const w = new Float64Array(n)
  free.forEach((i, a) => {
    w[i] = solution === undefined ? 1 / free.length : solution[a]!
  })
  return w
}

/** From w towards the target until an entry reaches 0; that entry leaves `free`. */
function towards(w: Float64Array, target: Float64Array, free: number[]): Float64Array {
  let fraction = 1
  let leaving = 0
  free.forEach((i, a) => {
    const reach = w[i]! / (w[i]! - target[i]!)
    if (target[i]! < 0 && reach <= fraction) {
      fraction = reach
      leaving = a
    }
  })
  const moved = Float64Array.from(w, (value, i) => value + fraction * (target[i]! - value))
  const [left = 0] = free.splice(leaving, 1)
  moved[left] = 0
  return moved
}

/** The entry at 0 whose increase lowers the objective fastest; undefined at the optimum. */
function mostViolated(
  h: Float64Array,
  g: Float64Array,
  w: Float64Array,
  free: readonly number[],
): number | undefined {
  const slope = gramTimes(h, w).map((value, i) => value + g[i]!)
  const level = dot(slope, w)
  let worst = OPTIMAL
  let entering: number | undefined
  slope.forEach((value, i) => {
    if (!free.includes(i) && value - level < worst) {
      worst = value - level
      entering = i
    }
  })
  return entering
}

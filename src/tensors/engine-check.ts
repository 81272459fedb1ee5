/** @file Proof that an engine computes: every kernel against the plain float64 engine, on a few fixed numbers. */

import { MillraceError, messageOf } from '../errors.ts'
import type { Engine, Tensor, Unary } from './engine.ts'
import { sizeOf } from './engine.ts'
import { plainEngine } from './plain-engine.ts'

const UNARIES: readonly Unary[] = ['relu', 'leakyRelu', 'sigmoid', 'exp', 'log', 'sin', 'softplus']

/** Float32 sums of a few terms near 1 agree to about 1e-6; a wrong kernel or library is off by far more. */
const TOLERANCE = 1e-4

/**
 * Throws an ENGINE error naming the first kernel that disagrees with the plain engine or throws. Takes milliseconds:
 * run it on an engine whose library was found on this machine before work is trusted to it.
 */
export function checkEngine(engine: Engine): void {
  const expected = kernelResults(plainEngine('float64'))
  const found = kernelResults(engine)
  for (const [kernel, compute] of found) {
    const want = expected.get(kernel)?.() ?? []
    const got = valuesOrError(engine, kernel, compute)
    const agrees = got.length === want.length && got.every((x, i) => near(x, want[i]!))
    if (!agrees) throw rejected(engine, kernel, 'gives wrong numbers', undefined)
  }
}

function valuesOrError(
  engine: Engine,
  kernel: string,
  compute: () => readonly number[],
): readonly number[] {
  try {
    return compute()
  } catch (cause) {
    throw rejected(engine, kernel, `fails: ${messageOf(cause)}`, cause)
  }
}

function rejected(engine: Engine, kernel: string, what: string, cause: unknown): MillraceError {
  return new MillraceError('ENGINE', `${engine.name}: kernel ${kernel} ${what}`, {
    remedy: 'use another engine (plain needs no library), and report this machine and version',
    cause,
  })
}

function near(x: number, y: number): boolean {
  return Math.abs(x - y) <= TOLERANCE * Math.max(1, Math.abs(y))
}

/** Each kernel on fixed numbers, as a thunk that also frees what it made. */
function kernelResults(engine: Engine): ReadonlyMap<string, () => readonly number[]> {
  const results = new Map<string, () => readonly number[]>()
  const add = (name: string, compute: (input: (...shape: number[]) => Tensor) => Tensor): void => {
    results.set(name, () => {
      const owned: Tensor[] = []
      const out = compute((...shape) => {
        owned.push(engine.upload(fixedValues(shape), shape))
        return owned.at(-1)!
      })
      const values = Array.from(engine.read(out))
      for (const tensor of [...owned, out]) engine.dispose(tensor)
      return values
    })
  }
  addProducts(engine, add)
  addElementwise(engine, add)
  addRows(engine, add)
  return results
}

/** Registers one kernel's check. */
type Add = (name: string, compute: (input: (...shape: number[]) => Tensor) => Tensor) => void

/** Distinct numbers of both signs; all positive for rank 1, where `log` takes them. */
function fixedValues(shape: readonly number[]): Float64Array {
  const least = shape.length === 1 ? 0.4 : -0.5
  return Float64Array.from({ length: sizeOf(shape) }, (_, i) => least + ((i * 7 + 2) % 11) / 9)
}

function addProducts(engine: Engine, add: Add): void {
  add('matMul', (of) => engine.matMul(of(3, 5), of(5, 4)))
  add('matMul, transposed a', (of) => engine.matMul(of(5, 3), of(5, 4), { transposeA: true }))
  add('matMul, transposed b', (of) => engine.matMul(of(3, 5), of(4, 5), { transposeB: true }))
  // Large enough for the wasm engine to leave JavaScript.
  add('matMul, large', (of) => engine.matMul(of(40, 30), of(40, 30), { transposeB: true }))
  add('batchMatMul', (of) => engine.batchMatMul(of(2, 3, 4), of(2, 5, 4), { transposeB: true }))
  add('linear', (of) => engine.linear(of(3, 5), of(5, 4), of(4), undefined, 0))
  add('linear, relu', (of) => engine.linear(of(40, 30), of(30, 20), of(20), 'relu', 0))
  add('mix', (of) => engine.mix(of(3, 2), [of(3, 4), of(3, 4)]))
  add('mixExpertGradient', (of) => engine.mixExpertGradient(of(3, 4), of(3, 2), 1))
  const { fused } = engine
  add('inputGradient', (of) => {
    const [dz, weight, open, onto] = [of(3, 5), of(4, 5), of(3, 4), of(3, 4)]
    if (fused !== undefined) return fused.inputGradient(dz, weight, open, engine.affine(onto, 1, 0))
    const product = engine.matMul(dz, weight, { transposeB: true })
    const masked = engine.unaryGradient('relu', product, open, open, 0)
    const sum = engine.add(onto, masked)
    for (const tensor of [product, masked]) engine.dispose(tensor)
    return sum
  })
  add('mixtureGradient', (of) => {
    const [cotangent, gates, open] = [of(3, 4), of(3, 2), of(3, 4)]
    if (fused !== undefined) return fused.mixtureGradient([{ cotangent, gates, k: 1 }], open)
    const term = engine.mixExpertGradient(cotangent, gates, 1)
    const masked = engine.unaryGradient('relu', term, open, open, 0)
    engine.dispose(term)
    return masked
  })
  add('mixGatesGradient', (of) => engine.mixGatesGradient(of(3, 4), [of(3, 4), of(3, 4)]))
  add('weightedSum', (of) => engine.weightedSum([of(3, 4), of(3, 4), of(3, 4)], [1, -2, 0.5]))
  add('gram', (of) => {
    const doubled = engine.affine(of(3, 4), 2, -1)
    const gram = engine.gram([of(3, 4), doubled])
    engine.dispose(doubled)
    return engine.upload(gram, [2, 2])
  })
}

function addElementwise(engine: Engine, add: Add): void {
  for (const kernel of ['add', 'sub', 'mul'] as const) {
    add(kernel, (of) => engine[kernel](of(3, 4), of(3, 4)))
    add(`${kernel}, row`, (of) => engine[kernel](of(3, 4), of(4)))
    add(`${kernel}, column`, (of) => engine[kernel](of(3, 4), of(3, 1)))
    add(`${kernel}, number`, (of) => engine[kernel](of(3, 4), of(1)))
  }
  add('affine', (of) => engine.affine(of(3, 4), -0.5, 2))
  for (const kind of UNARIES) {
    const shape = kind === 'log' ? [12] : [3, 4]
    add(kind, (of) => engine.unary(kind, of(...shape), 0.1))
    add(`gradient of ${kind}`, (of) => {
      const x = of(...shape)
      return engine.unaryGradient(kind, of(...shape), x, x, 0.1)
    })
  }
  add('softmax', (of) => engine.softmax(of(3, 4)))
  add('softmaxGradient', (of) => engine.softmaxGradient(of(3, 4), of(3, 4)))
}

function addRows(engine: Engine, add: Add): void {
  add('concat', (of) => engine.concat([of(3, 2), of(3, 4)]))
  add('slice', (of) => engine.slice(of(2, 3, 4), 1, 2))
  add('pad', (of) => engine.pad(of(3, 2), 1, 4))
  add('reshape', (of) => engine.reshape(of(3, 4), [2, 6]))
  add('transpose', (of) => engine.transpose(of(2, 3, 4)))
  add('sum', (of) => engine.sum(of(3, 4)))
  add('sumLast', (of) => engine.sumLast(of(2, 3, 4)))
  add('sumRows', (of) => engine.sumRows(of(2, 3, 4)))
  add('repeatLast', (of) => engine.repeatLast(of(3), 4))
}

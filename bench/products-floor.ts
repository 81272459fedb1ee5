/** @file The matrix products of a step alone: the floor under it. */

import type { ParameterSpec } from '../src/model/model.ts'
import type { Engine, Tensor } from '../src/tensors/engine.ts'
import { sizeOf } from '../src/tensors/engine.ts'
import type { Floor } from './bench.ts'
import { median } from './harness.ts'

const REPEATS = 9

/** Milliseconds of the three products of every weight of the model (forward, by its input, by itself) at this batch. */
export function productsFloor(
  engine: Engine,
  parameters: readonly ParameterSpec[],
  batch: number,
): Floor[] {
  const weights = parameters.filter(({ shape }) => shape.length === 2)
  const drawn = (...shape: number[]): Tensor =>
    engine.upload(
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i)),
      shape,
    )
  const operands = weights.map(({ shape: [inputs = 0, outputs = 0] }) => ({
    x: drawn(batch, inputs),
    w: drawn(inputs, outputs),
    dy: drawn(batch, outputs),
  }))
  const times = Array.from({ length: REPEATS }, () => {
    const started = performance.now()
    for (const { x, w, dy } of operands) {
      engine.dispose(engine.matMul(x, w))
      engine.dispose(engine.matMul(dy, w, { transposeB: true }))
      engine.dispose(engine.matMul(x, dy, { transposeA: true }))
    }
    return performance.now() - started
  })
  for (const { x, w, dy } of operands) for (const tensor of [x, w, dy]) engine.dispose(tensor)
  const ms = median(times)
  const operations = weights.reduce((sum, { shape }) => sum + 6 * batch * sizeOf(shape), 0)
  return [
    { label: `matrix products alone, batch ${batch}`, value: ms, unit: 'ms' },
    { label: 'they run at', value: operations / ms / 1e6, unit: 'GFLOP/s' },
  ]
}

import { expect, test } from 'vitest'
import { FirstPredictions } from '../../src/observe/first-predictions.ts'
import type { Sample } from '../../src/samples/sample.ts'
import { plainSample } from '../samples/plain-sample.ts'

function row(id: string, ...mask: number[]): Sample {
  const labels = new Float32Array(mask.length)
  return plainSample({ id, labels, mask: Uint8Array.from(mask) })
}

/** Two tasks, task-major. */
function batch(clicks: number[], likes: number[]): Float32Array {
  return Float32Array.from([...clicks, ...likes])
}

test('a later row of an impression is judged by what was predicted at its first row', () => {
  const first = new FirstPredictions(2)
  expect(first.judge([row('a', 1, 0), row('b', 1, 0)], batch([0.5, 0.25], [0.125, 0.75]))).toEqual(
    batch([0.5, 0.25], [0.125, 0.75]),
  )
  expect(first.judge([row('b', 0, 1), row('c', 1, 0)], batch([0, 0.5], [0, 0.5]))).toEqual(
    batch([0.25, 0.5], [0.75, 0.5]),
  )
})

test('an impression is forgotten with its last label', () => {
  const first = new FirstPredictions(2)
  first.judge([row('a', 1, 0), row('b', 1, 1)], batch([0.5, 0.5], [0.5, 0.5]))
  expect(first.size).toBe(1)
  first.judge([row('a', 0, 1)], batch([0], [0]))
  expect(first.size).toBe(0)
})

test('two rows of one impression in one batch are judged alike', () => {
  const first = new FirstPredictions(2)
  const judged = first.judge([row('a', 1, 0), row('a', 0, 1)], batch([0.5, 0.5], [0.25, 0.25]))
  expect(judged).toEqual(batch([0.5, 0.5], [0.25, 0.25]))
  expect(first.size).toBe(0)
})

test('a snapshot in the middle goes on as if nothing had happened', () => {
  const whole = new FirstPredictions(2)
  whole.judge([row('a', 1, 0), row('b', 1, 0)], batch([0.5, 0.25], [0.125, 0.75]))
  const restored = new FirstPredictions(2)
  restored.restore(whole.snapshot())
  expect(restored.snapshot()).toEqual(whole.snapshot())
  const next = [row('b', 0, 1)]
  expect(restored.judge(next, batch([0], [0]))).toEqual(whole.judge(next, batch([0], [0])))
})

test('what was noted as an impression opened comes back with its labels, and only once', () => {
  const open = new FirstPredictions(2)
  open.note([row('a', 0, 0), row('b', 0, 0)], batch([0.5, 0.25], [0.125, 0.75]))
  open.note([row('a', 0, 0)], batch([0.9], [0.9]))
  const click = row('b', 1, 0)
  expect(open.recall([click, row('unknown', 1, 1), row('a', 0, 0)])).toEqual({
    samples: [click],
    probabilities: batch([0.25], [0.75]),
  })
  const restored = new FirstPredictions(2)
  restored.restore(open.snapshot())
  const [both, like] = [row('a', 1, 1), row('b', 0, 1)]
  expect(restored.recall([both, like])).toEqual({
    samples: [both, like],
    probabilities: batch([0.5, 0.25], [0.125, 0.75]),
  })
  expect(restored.size).toBe(0)
  expect(restored.recall([both]).samples).toEqual([])
})

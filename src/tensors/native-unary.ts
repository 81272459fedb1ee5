/** @file Element-wise functions and their derivatives as TensorFlow operations. */

import type { Unary } from './engine.ts'
import type { NativeAttribute } from './native-binding.ts'
import type { NativeOperations } from './native-operations.ts'

const OPERATION: Readonly<Record<Unary, string>> = {
  relu: 'Relu',
  leakyRelu: 'LeakyRelu',
  sigmoid: 'Sigmoid',
  exp: 'Exp',
  log: 'Log',
  sin: 'Sin',
  softplus: 'Softplus',
}

/** f(x). */
export function runUnary(tf: NativeOperations, kind: Unary, x: number, slope: number): number {
  return tf.run(OPERATION[kind], [x], slopeOf(tf, kind, slope))
}

/** dy * f'(x), with y = f(x). */
export function runUnaryGradient(
  tf: NativeOperations,
  kind: Unary,
  { dy, x, y }: { readonly dy: number; readonly x: number; readonly y: number },
  slope: number,
): number {
  switch (kind) {
    case 'relu':
      return tf.run('ReluGrad', [dy, y])
    case 'leakyRelu':
      return tf.run('LeakyReluGrad', [dy, y], slopeOf(tf, kind, slope))
    case 'sigmoid':
      return tf.run('SigmoidGrad', [y, dy])
    case 'exp':
      return tf.run('Mul', [dy, y])
    case 'log':
      return tf.run('Div', [dy, x])
    case 'softplus':
      return tf.run('SoftplusGrad', [dy, x])
    case 'sin': {
      const cosine = tf.run('Cos', [x])
      const gradient = tf.run('Mul', [dy, cosine])
      tf.free(cosine)
      return gradient
    }
  }
}

function slopeOf(tf: NativeOperations, kind: Unary, slope: number): readonly NativeAttribute[] {
  return kind === 'leakyRelu' ? [tf.float('alpha', slope)] : []
}

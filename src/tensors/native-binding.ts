/** @file Loads tfjs-node's addon, without the rest of tfjs, and says what of it the engine uses. */

import { createRequire } from 'node:module'
import { MillraceError, messageOf } from '../errors.ts'
import { findNativeAddons, type NativeAddon, type Variables } from './native-addons.ts'

/** One attribute of a TensorFlow operation. */
export interface NativeAttribute {
  readonly name: string
  readonly type: number
  readonly value: boolean | number | string
}

/** What of tfjs-node's addon the engine uses. Tensors are numbers; reading copies, creating may share the array. */
export interface NativeBinding {
  createTensor(shape: readonly number[], dtype: number, values: Float32Array | Int32Array): number
  deleteTensor(id: number): void
  tensorDataSync(id: number): unknown
  executeOp(
    name: string,
    attributes: readonly NativeAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): readonly { readonly id: number }[]
  isUsingGpuDevice(): boolean
  /** Of this process. */
  getNumOfTensors(): number
  readonly TF_Version: string
  readonly TF_FLOAT: number
  readonly TF_INT32: number
  readonly TF_ATTR_STRING: number
  readonly TF_ATTR_INT: number
  readonly TF_ATTR_FLOAT: number
  readonly TF_ATTR_BOOL: number
  readonly TF_ATTR_TYPE: number
}

/** An addon that loaded, and in words which it is. */
export interface NativeLibrary {
  readonly binding: NativeBinding
  readonly origin: string
}

/** The first addon of this machine that loads; an ENGINE error whose message says why none does. */
export function loadNativeLibrary(variables: Variables = process.env): NativeLibrary {
  const { addons, absent } = findNativeAddons(variables)
  // The library writes start-up remarks to stderr, in the middle of a live display, unless told not to.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
  const reasons = addons.length === 0 ? [absent] : []
  for (const addon of addons) {
    try {
      return loadAddon(addon)
    } catch (thrown) {
      reasons.push(`the addon ${addon.origin} does not load: ${firstLine(messageOf(thrown))}`)
    }
  }
  throw new MillraceError('ENGINE', reasons.join('; '), {
    remedy: 'run npm run native, or use another engine; millrace doctor says what is missing',
  })
}

function loadAddon({ file, origin }: NativeAddon): NativeLibrary {
  const binding: unknown = createRequire(import.meta.url)(file)
  if (!isBinding(binding)) throw new MillraceError('ENGINE', `${file} lacks functions of tfjs-node`)
  const device = binding.isUsingGpuDevice() ? 'GPU' : 'CPU'
  return { binding, origin: `TensorFlow ${binding.TF_Version} on the ${device}, ${origin}` }
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? ''
}

function isBinding(value: unknown): value is NativeBinding {
  const functions = [
    'createTensor',
    'deleteTensor',
    'tensorDataSync',
    'executeOp',
    'isUsingGpuDevice',
    'getNumOfTensors',
  ]
  if (typeof value !== 'object' || value === null) return false
  return functions.every((name) => typeof Reflect.get(value, name) === 'function')
}

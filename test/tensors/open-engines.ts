/** @file The engines that start on this machine; a native library that does not is said loudly, not passed over. */

import { messageOf } from '../../src/errors.ts'
import type { Engine } from '../../src/tensors/engine.ts'
import { openEngine } from '../../src/tensors/engine-choice.ts'
import { type KernelLibrary, loadKernels } from '../../src/tensors/kernel-binding.ts'
import { KernelEngine } from '../../src/tensors/kernel-engine.ts'

/** Every float32 engine: plain, wasm and cpu always (they come with the lock file), native where it loads. */
export async function openFloat32Engines(): Promise<readonly Engine[]> {
  const engines: Engine[] = []
  for (const preference of ['plain', 'wasm', 'cpu'] as const) {
    engines.push((await openEngine(preference)).engine)
  }
  const kernels = kernelsHere()
  if (kernels !== undefined) engines.push(new KernelEngine(kernels.binding))
  try {
    engines.push((await openEngine('tensorflow')).engine)
  } catch (thrown) {
    console.warn(`NOT TESTED: the TensorFlow engine does not start here: ${messageOf(thrown)}`)
  }
  return engines
}

/** The compiled kernels; undefined, and said, where they do not load. */
export function kernelsHere(): KernelLibrary | undefined {
  try {
    return loadKernels()
  } catch (thrown) {
    console.warn(`NOT TESTED: the native engine does not start here: ${messageOf(thrown)}`)
    return undefined
  }
}

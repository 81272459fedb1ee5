/** @file The engines that start on this machine; a native library that does not is said loudly, not passed over. */

import { messageOf } from '../../src/errors.ts'
import type { Engine } from '../../src/tensors/engine.ts'
import { openEngine } from '../../src/tensors/engine-choice.ts'
import { loadKernels } from '../../src/tensors/kernel-binding.ts'
import { KernelEngine } from '../../src/tensors/kernel-engine.ts'

/** Every float32 engine: plain, wasm and cpu always (they come with the lock file), native where it loads. */
export async function openFloat32Engines(): Promise<readonly Engine[]> {
  const engines: Engine[] = []
  for (const preference of ['plain', 'wasm', 'cpu'] as const) {
    engines.push((await openEngine(preference)).engine)
  }
  try {
    engines.push(new KernelEngine(loadKernels().binding))
  } catch (thrown) {
    console.warn(`NOT TESTED: the native engine does not start here: ${messageOf(thrown)}`)
  }
  try {
    engines.push((await openEngine('tensorflow')).engine)
  } catch (thrown) {
    console.warn(`NOT TESTED: the TensorFlow engine does not start here: ${messageOf(thrown)}`)
  }
  return engines
}

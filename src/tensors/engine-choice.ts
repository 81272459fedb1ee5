/** @file Chooses and opens the engine a process computes with, and says in words why it is this one. */

import { MillraceError, messageOf } from '../errors.ts'
import { openCpuEngine } from './cpu-engine.ts'
import type { Engine } from './engine.ts'
import { checkEngine } from './engine-check.ts'
import type { EnginePreference } from './engine-preferences.ts'
import { loadKernels } from './kernel-binding.ts'
import { KernelEngine } from './kernel-engine.ts'
import { loadNativeLibrary } from './native-binding.ts'
import { NativeEngine } from './native-engine.ts'
import { plainEngine } from './plain-engine.ts'
import { openWasmEngine } from './wasm-engine.ts'

/** An open engine, its name, and a sentence on why it was chosen. */
export interface EngineChoice {
  readonly engine: Engine
  readonly name: string
  readonly reason: string
}

/** Engines that run wherever Node runs. */
type Portable = 'wasm' | 'cpu' | 'plain'

type Candidate = 'kernels' | 'tensorflow' | Portable

/**
 * The order of each preference that may fall back. It is fixed, so that one machine always gives one engine (law 3).
 * wasm stands before plain because it was the faster at every size tried: CPU ms of an MMoE step with three per-task
 * gradients, plain-float32 / tfjs-wasm, least of 60 (Node 20, EPYC): B=64, 32 inputs, 3 experts 32-16: 1.0 / 0.6; B=256,
 * 4 experts 64-32 on 64, 128 and 256 inputs: 13 / 5.0, 20 / 6.0, 35 / 9.0.
 */
const ORDERS: Readonly<Record<'auto' | 'native' | 'tfjs', readonly Candidate[]>> = {
  auto: ['kernels', 'tensorflow', 'wasm', 'plain'],
  native: ['kernels', 'tensorflow'],
  tfjs: ['tensorflow', 'wasm', 'cpu'],
}

/** Describes each candidate in the reason; native ones say themselves what they found. */
const DESCRIPTIONS: Readonly<Record<Portable, string>> = {
  wasm: 'the WebAssembly engine (XNNPACK, one thread)',
  cpu: 'the tfjs JavaScript engine',
  plain: 'the plain JavaScript engine, which needs no library',
}

/**
 * Opens an engine and proves it (`checkEngine`). `auto` and `tfjs` fall back and say so in `reason`; a preference for
 * one engine that does not start is an ENGINE error with the cause.
 */
export async function openEngine(preference: EnginePreference = 'auto'): Promise<EngineChoice> {
  if (preference === 'plain-float64') {
    const engine = plainEngine('float64')
    return { engine, name: engine.name, reason: 'the plain engine in float64, as asked for' }
  }
  if (preference !== 'auto' && preference !== 'native' && preference !== 'tfjs') {
    const { engine, description } = await openCandidate(preference)
    return { engine, name: engine.name, reason: `${description}, as asked for` }
  }
  return openFirst(ORDERS[preference])
}

async function openFirst(order: readonly Candidate[]): Promise<EngineChoice> {
  const failures: string[] = []
  for (const candidate of order) {
    try {
      const { engine, description } = await openCandidate(candidate)
      const reason = [...failures, `using ${description}`].join('; ')
      return { engine, name: engine.name, reason }
    } catch (thrown) {
      failures.push(messageOf(thrown))
    }
  }
  throw new MillraceError('ENGINE', `no engine starts: ${failures.join('; ')}`, {
    remedy: 'ask for the plain engine, which needs no library',
  })
}

/** An engine that passed its proof, in words. */
interface Opened {
  readonly engine: Engine
  readonly description: string
}

async function openCandidate(candidate: Candidate): Promise<Opened> {
  const opened = await open(candidate)
  if (candidate !== 'plain') checkEngine(opened.engine)
  return opened
}

async function open(candidate: Candidate): Promise<Opened> {
  if (candidate === 'kernels') {
    const { binding, origin } = loadKernels()
    return { engine: new KernelEngine(binding), description: origin }
  }
  if (candidate === 'tensorflow') {
    const { binding, origin } = loadNativeLibrary()
    return { engine: new NativeEngine(binding), description: origin }
  }
  return { engine: await openPortable(candidate), description: DESCRIPTIONS[candidate] }
}

async function openPortable(candidate: Portable): Promise<Engine> {
  switch (candidate) {
    case 'wasm':
      return openWasmEngine()
    case 'cpu':
      return openCpuEngine()
    case 'plain':
      return plainEngine('float32')
  }
}

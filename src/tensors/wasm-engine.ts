/** @file Opens the wasm engine: a tfjs wasm backend of its own, from the package's files, one thread, deterministic. */

import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { MillraceError } from '../errors.ts'
import { ArrayEngine } from './array-engine.ts'
import type { Engine } from './engine.ts'
import { WasmBlocks, type WasmMatMul, WasmProducts } from './wasm-products.ts'

/**
 * A wasm engine with its own memory; an ENGINE error when the packages are missing or the module does not start. The
 * backend is made by its factory and not by `setBackend`, whose one global backend would fail two engines opened at the
 * same time. Node finds the .wasm beside the package's own script; threads are off in Node (tfjs asks for a browser).
 */
export async function openWasmEngine(): Promise<Engine> {
  const core = await import('@tensorflow/tfjs-core')
  const wasm = await import('@tensorflow/tfjs-backend-wasm')
  const backend = await core.findBackendFactory('wasm')?.()
  if (!(backend instanceof wasm.BackendWasm)) throw notStarted()
  const store = new WasmBlocks(backend)
  return new ArrayEngine('tfjs-wasm', store, new WasmProducts(matMulOf(backend), store))
}

/** The compiled BatchMatMul, bound as tfjs binds it; its arguments are checked by no one after this. */
function matMulOf(backend: BackendWasm): WasmMatMul {
  const bind: unknown = Reflect.get(backend.wasm, 'cwrap')
  if (typeof bind !== 'function') throw notStarted()
  const matrix = ['number', 'array', 'number']
  return bind('BatchMatMul', null, [...matrix, ...matrix, 'number', 'number', 'number'])
}

function notStarted(): MillraceError {
  return new MillraceError('ENGINE', 'the tfjs wasm backend did not start', {
    remedy: 'use the plain engine, or reinstall @tensorflow/tfjs-backend-wasm',
  })
}

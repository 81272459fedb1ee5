// Compiles the kernels of native/ for this processor: a few seconds, nothing is downloaded.

import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { recordRefusal, refusalOnRecord } from './installation.mjs'
import { findCompiler, NativeError, runProgram } from './programs.mjs'
import { buildSources, engineModule, verifyKernels } from './verify.mjs'

/**
 * Compiles, proves and keeps them in `folder` unless they are there; NativeError says which step failed and what to do. With
 * `quietly`, nothing is tried again that failed before. Gives the proof, or undefined when there was nothing to do.
 */
export async function installKernels(folder, { force, quietly, say }) {
  buildSources()
  const { findKernels, kernelSources, KERNEL_FLAGS } = await import(engineModule('kernel-files.js'))
  const { file } = findKernels({ ...process.env, MILLRACE_NATIVE: folder })
  if (existsSync(file) && !force) return undefined
  if (quietly && refusalOnRecord(folder, 'kernels', file) !== undefined) return undefined
  const work = join(folder, `work-${process.pid}`)
  try {
    const result = join(work, basename(file))
    const compiler = findCompiler()
    mkdirSync(work, { recursive: true })
    say(`compiling the kernels with ${compiler}`)
    const sources = kernelSources().filter((name) => name.endsWith('.cc'))
    const args = [...KERNEL_FLAGS, `-I${headers()}`, ...sources, '-o', result]
    const failure = `${compiler} could not compile the kernels (they need C++17).`
    await runProgram(compiler, args, { failure })
    say('proving every one of them')
    const proof = verifyKernels(work)
    renameSync(result, file)
    return proof
  } catch (error) {
    if (error instanceof NativeError) recordRefusal(folder, 'kernels', file, error.message)
    throw error
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Of Node-API, whose binary interface is the same for every Node: no headers of Node itself are needed. */
export function headers() {
  const description = createRequire(import.meta.url).resolve('node-api-headers/package.json')
  return join(dirname(description), 'include')
}

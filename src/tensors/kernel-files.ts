/** @file Where the compiled kernels of this machine are: a file named after everything it was made from. */

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { nativeFolder, packageFolder, type Variables } from './native-addons.ts'

/** How the sources are compiled, the compiler's name and the places of headers and result left out. */
export const KERNEL_FLAGS: readonly string[] = [
  '-std=c++17',
  '-O3',
  process.arch === 'x64' ? '-march=native' : '-mcpu=native',
  ...(process.arch === 'x64' ? ['-mprefer-vector-width=512'] : []),
  '-fno-math-errno',
  '-fno-trapping-math',
  '-fPIC',
  '-shared',
  '-pthread',
  // Apple's linker wants to be told that Node brings the functions of Node-API.
  ...(process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : []),
  '-DNAPI_VERSION=8',
]

/** Either a file that exists, or in words why there is none; `file` is where it would be. */
export interface FoundKernels {
  readonly file: string
  readonly absent: string | undefined
}

/** The sources, headers first. */
export function kernelSources(): readonly string[] {
  const folder = join(packageFolder(), 'native')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => /\.(h|cc)$/.test(name))
    .sort()
    .map((name) => join(folder, name))
}

/** Other sources, flags or another processor make another name: a file is never used for what it was not made for. */
export function findKernels(variables: Variables): FoundKernels {
  const folder = nativeFolder(variables)
  if (folder === undefined) {
    return { file: '', absent: 'the native engine is refused by MILLRACE_NATIVE=off' }
  }
  const sources = kernelSources()
  if (sources.length === 0) return { file: '', absent: 'this package has no kernels to compile' }
  const file = join(folder, `kernels-${digestOf(sources)}.node`)
  const absent = existsSync(file) ? undefined : 'no kernels were compiled for this processor'
  return { file, absent }
}

function digestOf(sources: readonly string[]): string {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([process.platform, process.arch, processor(), KERNEL_FLAGS]))
  for (const source of sources) hash.update(readFileSync(source))
  return hash.digest('hex').slice(0, 16)
}

/** What `-march=native` looks at, as far as the system tells. */
function processor(): string {
  const model = cpus()[0]?.model ?? ''
  try {
    return `${model} ${/^(flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[2]}`
  } catch {
    // No such file but on Linux.
    return model
  }
}

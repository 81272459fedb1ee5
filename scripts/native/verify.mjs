// The proof of an installation: the native engine opens and every kernel agrees with the plain engine.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { NativeError } from './programs.mjs'

const PACKAGE = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const ENGINES = join(PACKAGE, 'dist', 'src', 'tensors')
const LIBRARY_MODULES = ['native-binding.js', 'native-engine.js', 'engine-check.js']
const KERNEL_MODULES = ['kernel-binding.js', 'kernel-engine.js', 'engine-check.js']

/** In a process of its own: a library that does not fit the processor ends it with a signal. */
const LIBRARY_PROOF = `
  const [library, engine, check] = await Promise.all(process.argv.slice(1).map((file) => import(file)))
  const { binding } = library.loadNativeLibrary()
  check.checkEngine(new engine.NativeEngine(binding))
  console.log(binding.TF_Version)
`

const KERNEL_PROOF = `
  const [library, engine, check] = await Promise.all(process.argv.slice(1).map((file) => import(file)))
  const { binding, origin } = library.loadKernels()
  check.checkEngine(new engine.KernelEngine(binding))
  console.log(origin)
`

/** A sentence on what was proved of the library in this folder; NativeError when it was not. */
export function verifyInstallation(folder) {
  const version = prove(LIBRARY_PROOF, LIBRARY_MODULES, folder, 'library')
  return `verified: every kernel of TensorFlow ${version} agrees with the plain engine`
}

/** The same of the compiled kernels in it. */
export function verifyKernels(folder) {
  prove(KERNEL_PROOF, KERNEL_MODULES, folder, 'compiled file')
  return 'verified: every kernel agrees with the plain engine'
}

function prove(proof, names, folder, what) {
  buildSources()
  const modules = names.map(engineModule)
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', proof, ...modules],
    {
      env: { ...process.env, MILLRACE_NATIVE: folder },
      encoding: 'utf8',
    },
  )
  if (status === 0) return stdout.trim()
  const why =
    signal === null
      ? stderr.trim()
      : `the process was ended by ${signal}: the ${what} does not fit this processor`
  throw new NativeError(`the ${what} is there, but its proof failed.\n${why}`)
}

/** Where the built module of an engine is, as a URL. */
export function engineModule(name) {
  return pathToFileURL(join(ENGINES, name)).href
}

/** In a checkout the sources may be newer than the build; a published package has no sources. */
export function buildSources() {
  if (existsSync(join(PACKAGE, 'src')))
    spawnSync('npm', ['run', '--silent', 'build'], { cwd: PACKAGE, stdio: 'ignore' })
  // What matters is that the engines are there: an error elsewhere in a checkout is not the library's.
  if (!existsSync(join(ENGINES, KERNEL_MODULES[0])))
    throw new NativeError('the package is not built, so nothing can be proved: see npm run build.')
}

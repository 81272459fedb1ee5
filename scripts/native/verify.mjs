// The proof of an installation: the native engine opens and every kernel agrees with the plain engine.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { NativeError } from './programs.mjs'

const PACKAGE = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const ENGINES = join(PACKAGE, 'dist', 'src', 'tensors')
const MODULES = ['native-binding.js', 'native-engine.js', 'engine-check.js']

/** In a process of its own: a library that does not fit the processor ends it with a signal. */
const PROOF = `
  const [library, engine, check] = await Promise.all(process.argv.slice(1).map((file) => import(file)))
  const { binding } = library.loadNativeLibrary()
  check.checkEngine(new engine.NativeEngine(binding))
  console.log(binding.TF_Version)
`

/** A sentence on what was proved; NativeError when it was not. */
export function verifyInstallation(folder) {
  buildSources()
  const modules = MODULES.map((name) => pathToFileURL(join(ENGINES, name)).href)
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', PROOF, ...modules],
    {
      env: { ...process.env, MILLRACE_NATIVE: folder },
      encoding: 'utf8',
    },
  )
  if (status === 0)
    return `verified: every kernel of TensorFlow ${stdout.trim()} agrees with the plain engine`
  const why =
    signal === null
      ? stderr.trim()
      : `the process was ended by ${signal}: the library does not fit this processor`
  throw new NativeError(`the library is there, but its proof failed.\n${why}`)
}

/** In a checkout the sources may be newer than the build; a published package has no sources. */
function buildSources() {
  if (existsSync(join(PACKAGE, 'src')))
    spawnSync('npm', ['run', '--silent', 'build'], { cwd: PACKAGE, stdio: 'ignore' })
  // What matters is that the engines are there: an error elsewhere in a checkout is not the library's.
  if (!existsSync(join(ENGINES, MODULES[0])))
    throw new NativeError(
      'the package is not built, so the library can not be proved: see npm run build.',
    )
}

/** @file Where on this machine TensorFlow's addon may be: tfjs-node-gpu's, the one of `npm run native`, tfjs-node's. */

import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** An addon's file, and where it comes from in words. */
export interface NativeAddon {
  readonly file: string
  readonly origin: string
}

/** Addons in order of preference; when there is none, `absent` says in words what was looked for. */
export interface NativeSearch {
  readonly addons: readonly NativeAddon[]
  readonly absent: string
}

/** Variables of a process. */
export type Variables = Readonly<Record<string, string | undefined>>

/** The file that every source of the addon calls it by. */
const ADDON = 'tfjs_binding.node'

/** Written by `npm run native` when the addon beside it passed its proof. */
const RECORD = 'installed.json'

/** The folder of what `npm run native` makes: MILLRACE_NATIVE, else in the user's cache; undefined when it is `off`. */
export function nativeFolder(variables: Variables): string | undefined {
  const { MILLRACE_NATIVE: setting, XDG_CACHE_HOME: cache } = variables
  if (setting === 'off') return undefined
  if (setting !== undefined && setting !== '') return resolve(setting)
  return join(cache || join(homedir(), '.cache'), 'millrace', 'native')
}

/**
 * MILLRACE_NATIVE: `off` finds nothing; a folder is looked in and nowhere else; unset, the GPU package comes first where
 * there is a device, then what `npm run native` installed, then tfjs-node as npm installed it.
 */
export function findNativeAddons(variables: Variables): NativeSearch {
  const setting = variables.MILLRACE_NATIVE
  const folder = nativeFolder(variables)
  if (folder === undefined) {
    return { addons: [], absent: 'the native engine is refused by MILLRACE_NATIVE=off' }
  }
  if (setting !== undefined && setting !== '') {
    const absent = `MILLRACE_NATIVE names ${setting}, where npm run native has not installed`
    return { addons: installed(folder), absent }
  }
  const gpu = hasGraphicsDevice() ? packaged('@tensorflow/tfjs-node-gpu') : []
  const own = installed(folder)
  return {
    addons: [...gpu, ...own, ...packaged('@tensorflow/tfjs-node')],
    absent:
      '@tensorflow/tfjs-node is not installed (npm leaves it out where its library can not be downloaded) and npm run native was not run',
  }
}

function installed(folder: string): readonly NativeAddon[] {
  const file = join(folder, ADDON)
  if (!existsSync(join(folder, RECORD)) || !existsSync(file)) return []
  return [{ file, origin: `of npm run native in ${folder}` }]
}

/**
 * The addon inside an npm package, loaded without the package's JavaScript: that needs all of tfjs, and functions that
 * Node 23 took out of `util` (tensorflow/tfjs#8425). The folder is named by the version of Node-API it was built for.
 */
function packaged(name: string): readonly NativeAddon[] {
  const library = packageLibrary(name)
  if (library === undefined) return []
  const supported = Number(process.versions.napi)
  const versions = readdirSync(library)
    .map((folder) => Number(/^napi-v(\d+)$/.exec(folder)?.[1]))
    .filter((version) => version <= supported)
    .filter((version) => existsSync(join(library, `napi-v${version}`, ADDON)))
  if (versions.length === 0) return []
  const newest = Math.max(...versions)
  return [{ file: join(library, `napi-v${newest}`, ADDON), origin: `of ${name}` }]
}

function packageLibrary(name: string): string | undefined {
  try {
    const description = createRequire(import.meta.url).resolve(`${name}/package.json`)
    const library = join(dirname(description), 'lib')
    return existsSync(library) ? library : undefined
  } catch {
    return undefined
  }
}

/** The GPU package also runs without a device, but no faster than the others. */
function hasGraphicsDevice(): boolean {
  if (process.platform !== 'linux') return true
  return existsSync('/dev/nvidiactl') || existsSync('/dev/dxg')
}

/** The folder of the package that this file belongs to, as source or built. */
export function packageFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url))
  const above = [join(here, '..', '..'), join(here, '..', '..', '..')]
  return above.find((folder) => existsSync(join(folder, 'package.json'))) ?? here
}

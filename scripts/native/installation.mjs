// The folder of an installation: where it is, whether it is whole, and that an attempt failed.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { INSTALLATION, LIBRARIES } from './pins.mjs'

/** The addon's file; src/tensors/native-addons.ts looks for it. */
export const ADDON = 'tfjs_binding.node'

/** Written last, after the proof: its presence says that the rest is whole. src/tensors/native-addons.ts asks for it. */
const RECORD = 'installed.json'

/** Written when an attempt failed, so that --if-possible does not try at every start. */
const REFUSALS = { library: 'failed.json', kernels: 'kernels-failed.json' }

/**
 * What MILLRACE_NATIVE names, else in the user's cache, where other checkouts find it; undefined when that is `off`. The same as
 * `nativeFolder` of src/tensors/native-addons.ts, for a package that is not built yet.
 */
export function targetFolder(variables = process.env) {
  const { MILLRACE_NATIVE: setting, XDG_CACHE_HOME: cache } = variables
  if (setting === 'off') return undefined
  return setting ? resolve(setting) : join(cache || join(homedir(), '.cache'), 'millrace', 'native')
}

/** True when the folder holds an installation of today's pins. */
export function installedHere(folder) {
  const record = readRecord(join(folder, RECORD))
  return Object.entries(INSTALLATION).every(([name, value]) => record?.[name] === value)
}

/** Says that the folder holds an installation of today's pins. */
export function recordInstalled(folder) {
  writeFileSync(join(folder, RECORD), `${JSON.stringify(INSTALLATION, null, 2)}\n`)
}

/** Moves a proved installation to its place: without a record while files are exchanged, with one when all are there. */
export function moveInstallation(from, to) {
  for (const file of [RECORD, REFUSALS.library]) rmSync(join(to, file), { force: true })
  for (const file of [...LIBRARIES, ADDON, RECORD]) renameSync(join(from, file), join(to, file))
}

/** Why an earlier attempt at this part failed, if one did with the same `key` (what it was made from). */
export function refusalOnRecord(folder, part, key) {
  const record = readRecord(join(folder, REFUSALS[part]))
  return record?.key === key ? record.reason : undefined
}

export function recordRefusal(folder, part, key, reason) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, REFUSALS[part]), `${JSON.stringify({ key, reason }, null, 2)}\n`)
}

/** Deletes what an installation put into the folder, and the folder unless something else is in it; false when there was nothing. */
export function removeNative(folder) {
  if (!existsSync(folder)) return false
  const ours = new Set([...LIBRARIES, ADDON, RECORD, ...Object.values(REFUSALS)])
  const made = /^(work-\d+|kernels-[0-9a-f]+\.node)$/
  const files = readdirSync(folder).filter((name) => ours.has(name) || made.test(name))
  for (const name of files) rmSync(join(folder, name), { recursive: true, force: true })
  if (readdirSync(folder).length === 0) rmdirSync(folder)
  return files.length > 0
}

function readRecord(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    // None, or a torn one: as good as none.
    return undefined
  }
}

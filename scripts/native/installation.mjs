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
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { INSTALLATION, LIBRARIES } from './pins.mjs'

/** The addon's file; src/tensors/native-addons.ts looks for it. */
export const ADDON = 'tfjs_binding.node'

/** Written last, after the proof: its presence says that the rest is whole. src/tensors/native-addons.ts asks for it. */
const RECORD = 'installed.json'

/** Written when an attempt failed, so that --if-possible does not try at every start. */
const REFUSAL = 'failed.json'

/** `.native` of this package, or what MILLRACE_NATIVE names; undefined when that is `off`. */
export function targetFolder(setting = process.env.MILLRACE_NATIVE) {
  if (setting === 'off') return undefined
  return setting
    ? resolve(setting)
    : join(dirname(fileURLToPath(import.meta.url)), '..', '..', '.native')
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
  for (const file of [RECORD, REFUSAL]) rmSync(join(to, file), { force: true })
  for (const file of [...LIBRARIES, ADDON, RECORD]) renameSync(join(from, file), join(to, file))
}

/** Why an attempt with today's pins failed, if one did. */
export function refusalOnRecord(folder) {
  const record = readRecord(join(folder, REFUSAL))
  return record?.wheel === INSTALLATION.wheel ? record.reason : undefined
}

export function recordRefusal(folder, reason) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, REFUSAL),
    `${JSON.stringify({ wheel: INSTALLATION.wheel, reason }, null, 2)}\n`,
  )
}

/** Deletes what an installation put into the folder, and the folder unless something else is in it; false when there was nothing. */
export function removeNative(folder) {
  if (!existsSync(folder)) return false
  const ours = new Set([...LIBRARIES, ADDON, RECORD, REFUSAL])
  const files = readdirSync(folder).filter((name) => ours.has(name) || /^work-\d+$/.test(name))
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

// npm run native: TensorFlow's native library for the native engine, for this machine, without root and without npm.

import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { installNative } from './native/install.mjs'
import {
  installedHere,
  refusalOnRecord,
  removeNative,
  targetFolder,
} from './native/installation.mjs'
import { NativeError } from './native/programs.mjs'
import { verifyInstallation } from './native/verify.mjs'

const HELP = `Gets TensorFlow's library for the native engine: downloads the wheel tensorflow-cpu (207 MB, pinned by hash),
compiles tfjs-node's addon against it and proves every kernel. Needs python3 with pip and a C++ compiler, takes about a
minute and 600 MB in .native/, and is needed once: afterwards nothing is downloaded.

  --force          install again although a verified installation is there
  --remove         delete the installation
  --if-possible    do nothing, and end well, where a tool is missing or an earlier try failed; for other scripts

MILLRACE_NATIVE=off refuses the native engine altogether; MILLRACE_NATIVE=/a/folder keeps it there instead of .native/.

Example: npm run native
`

function readOptions() {
  const options = {
    force: { type: 'boolean', default: false },
    remove: { type: 'boolean', default: false },
    'if-possible': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  }
  return parseArgs({ options }).values
}

async function main(options) {
  if (options.help) return console.log(HELP)
  const folder = targetFolder()
  if (folder === undefined) {
    if (options['if-possible']) return
    throw new NativeError('MILLRACE_NATIVE=off refuses the native engine. Unset it to install.')
  }
  if (options.remove) {
    return console.log(
      removeNative(folder)
        ? `removed the library from ${folder}`
        : `nothing to remove in ${folder}`,
    )
  }
  if (installedHere(folder) && !options.force) return reportInstalled(folder, options)
  if (options['if-possible'] && (npmInstalledOne() || refusalOnRecord(folder) !== undefined)) return
  await installNative(folder, (line) => console.log(line))
}

/** npm keeps the package only where its own library could be downloaded. */
function npmInstalledOne() {
  return existsSync(new URL('../node_modules/@tensorflow/tfjs-node/lib', import.meta.url))
}

/** Proves again what is there: the machine may have changed under it. */
function reportInstalled(folder, options) {
  // The engine is proved whenever it is opened: a script that starts one need not wait for this.
  if (options['if-possible']) return
  console.log(
    `${verifyInstallation(folder)}; it is in ${folder} (--force installs again, --remove deletes)`,
  )
}

function explain(error, quietly) {
  if (error?.code?.startsWith?.('ERR_PARSE_ARGS')) console.error(`${error.message}\n\n${HELP}`)
  else if (!(error instanceof NativeError)) console.error(error)
  else if (quietly)
    return console.error(`native engine: not installed, going on without it. ${error.message}`)
  else console.error(`native engine: ${error.message}`)
  process.exitCode = 1
}

try {
  await main(readOptions())
} catch (error) {
  explain(error, process.argv.includes('--if-possible'))
}

// npm run native: what the native engines need, for this machine, without root.

import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { installNative } from './native/install.mjs'
import {
  installedHere,
  refusalOnRecord,
  removeNative,
  targetFolder,
} from './native/installation.mjs'
import { installKernels } from './native/kernels.mjs'
import { INSTALLATION } from './native/pins.mjs'
import { NativeError } from './native/programs.mjs'
import { verifyInstallation } from './native/verify.mjs'

const HELP = `Makes the native engines of this machine, in the user's cache, where every checkout finds them:

1. compiles Millrace's own kernels (native/) for this processor: needs a C++ compiler, takes seconds
2. gets TensorFlow's library: downloads the wheel tensorflow-cpu (207 MB, pinned by hash), compiles tfjs-node's addon against
   it; needs python3 with pip besides, takes about a minute and 600 MB

Each is proved, kernel by kernel, before it is kept, and is needed once: afterwards nothing is compiled or downloaded.

  --kernels        the first only
  --library        the second only
  --force          again although it is there
  --remove         delete all of it
  --if-possible    do nothing, and end well, where a tool is missing or an earlier try failed; for other scripts

MILLRACE_NATIVE=off refuses native engines altogether; MILLRACE_NATIVE=/a/folder keeps them there.

Example: npm run native
`

const say = (line) => console.log(line)

function readOptions() {
  const options = {
    kernels: { type: 'boolean', default: false },
    library: { type: 'boolean', default: false },
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
    throw new NativeError('MILLRACE_NATIVE=off refuses the native engines. Unset it to install.')
  }
  if (options.remove) {
    return console.log(
      removeNative(folder) ? `removed everything from ${folder}` : `nothing to remove in ${folder}`,
    )
  }
  // One may be possible where the other is not.
  if (!options.library) await attempt(options, () => makeKernels(folder, options))
  if (!options.kernels) await attempt(options, () => getLibrary(folder, options))
}

async function attempt(options, work) {
  try {
    await work()
  } catch (error) {
    explain(error, options['if-possible'])
  }
}

async function makeKernels(folder, options) {
  const quietly = options['if-possible']
  const proof = await installKernels(folder, { force: options.force, quietly, say })
  if (proof !== undefined) {
    say(`${proof}. They are in ${folder}; train.engine: auto takes them from now on.`)
  } else if (!quietly) {
    say(`the kernels are compiled for this processor; they are in ${folder}`)
  }
}

async function getLibrary(folder, options) {
  if (installedHere(folder) && !options.force) return reportInstalled(folder, options)
  const refused = refusalOnRecord(folder, 'library', INSTALLATION.wheel) !== undefined
  if (options['if-possible'] && (npmInstalledOne() || refused)) return
  await installNative(folder, say)
}

/** npm keeps the package only where its own library could be downloaded. */
function npmInstalledOne() {
  return existsSync(new URL('../node_modules/@tensorflow/tfjs-node/lib', import.meta.url))
}

/** Proves again what is there: the machine may have changed under it. */
function reportInstalled(folder, options) {
  // An engine is proved whenever it is opened: a script that starts one need not wait for this.
  if (options['if-possible']) return
  say(
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

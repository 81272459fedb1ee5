// The steps of an installation. Each leaves its files in a work folder; they move to the target after the proof.

import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { ADDON, moveInstallation, recordInstalled, recordRefusal } from './installation.mjs'
import { headers } from './kernels.mjs'
import * as pins from './pins.mjs'
import { checkPlatform, findPrograms, NativeError, runProgram } from './programs.mjs'
import { verifyInstallation } from './verify.mjs'

/** Linked into the addon; says itself why. */
const GUARD = fileURLToPath(new URL('blocked-signals.cc', import.meta.url))

/** What it puts itself around. */
const WRAPPED = ['TFE_NewContext', 'TFE_Execute']

/** Installs into `folder`, replacing what is there; NativeError says which step failed and what to do. */
export async function installNative(folder, say) {
  const work = join(folder, `work-${process.pid}`)
  const result = join(work, 'result')
  try {
    checkPlatform()
    const programs = findPrograms()
    mkdirSync(result, { recursive: true })
    await build(work, programs, say)
    say('5/5 proving every kernel')
    recordInstalled(result)
    const proof = verifyInstallation(result)
    moveInstallation(result, folder)
    say(`${proof}. It is in ${folder}; A job uses it with train.engine: tensorflow.`)
  } catch (error) {
    if (error instanceof NativeError) {
      recordRefusal(folder, 'library', pins.WHEEL.sha256, error.message)
    }
    throw error
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function build(work, { python, compiler }, say) {
  say(`1/5 downloading ${pins.WHEEL.requirement} (${pins.WHEEL.megabytes} MB)`)
  const wheel = await downloadWheel(work, python)
  say('2/5 taking the library and its headers out')
  await unpackWheel(work, python, wheel)
  say(`3/5 downloading the source of ${pins.ADDON_PACKAGE.name}`)
  const addon = await downloadPackage(work, pins.ADDON_PACKAGE, 'addon')
  say(`4/5 compiling its addon with ${compiler}`)
  await compile(work, compiler, join(addon, 'binding'))
}

async function downloadWheel(work, python) {
  const target = join(work, 'wheel')
  const args = [
    '-m',
    'pip',
    'download',
    '--no-deps',
    '--only-binary=:all:',
    '--dest',
    target,
    ...pins.WHEEL.tags,
    pins.WHEEL.requirement,
  ]
  const failure = `pip could not download ${pins.WHEEL.requirement}. Check the network and pip's index (pip config list), then run npm run native again.`
  await runProgram(python, args, { show: process.stdout.isTTY, failure })
  const wheel = join(target, readdirSync(target).find((file) => file.endsWith('.whl')) ?? '')
  await expectHash(wheel, 'sha256', 'hex', pins.WHEEL.sha256)
  return wheel
}

/** Members of the wheel, flat or as they are; read by Python, which is there anyway. */
const UNPACK = `
import sys, zipfile, os, shutil
wheel, result, include, libraries, headers = sys.argv[1:6]
with zipfile.ZipFile(wheel) as archive:
    for name in libraries.split(','):
        with archive.open('tensorflow/' + name) as source, open(os.path.join(result, name), 'wb') as target:
            shutil.copyfileobj(source, target, 1 << 22)
    wanted = tuple('tensorflow/include/' + folder for folder in headers.split(','))
    for name in archive.namelist():
        if name.startswith(wanted) and name.endswith('.h'):
            archive.extract(name, include)
`

async function unpackWheel(work, python, wheel) {
  const args = [
    '-c',
    UNPACK,
    wheel,
    join(work, 'result'),
    join(work, 'include'),
    pins.LIBRARIES.join(','),
    pins.HEADER_FOLDERS.join(','),
  ]
  await runProgram(python, args, {
    failure: 'the wheel could not be unpacked (600 MB are needed on this disk).',
  })
}

async function downloadPackage(work, { name, integrity }, folder) {
  const target = join(work, folder)
  mkdirSync(target)
  const failure = `npm could not download the source of ${name}. Check the network and npm's registry (npm config get registry).`
  await runProgram(
    'npm',
    ['pack', '--ignore-scripts', '--silent', '--pack-destination', target, name],
    { cwd: work, failure },
  )
  const archive = join(target, readdirSync(target).find((file) => file.endsWith('.tgz')) ?? '')
  const [algorithm, digest] = integrity.split(/-(.*)/s)
  await expectHash(archive, algorithm, 'base64', digest)
  await runProgram('tar', ['-xzf', archive, '-C', target], {
    failure: `${archive} could not be unpacked with tar.`,
  })
  return join(target, 'package')
}

async function compile(work, compiler, sources) {
  const result = join(work, 'result')
  const args = [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', `-DNAPI_VERSION=${pins.NODE_API_VERSION}`],
    ...[`-I${join(work, 'include', 'tensorflow', 'include')}`, `-I${headers()}`],
    ...[
      join(sources, 'tfjs_backend.cc'),
      join(sources, 'tfjs_binding.cc'),
      GUARD,
      '-o',
      join(result, ADDON),
    ],
    ...[`-L${result}`, ...pins.LIBRARIES.map((name) => `-l:${name}`), '-Wl,-rpath,$ORIGIN'],
    ...WRAPPED.map((name) => `-Wl,--wrap=${name}`),
  ]
  await runProgram(compiler, args, {
    failure: `${compiler} could not compile the addon (it needs C++17).`,
  })
}

async function expectHash(file, algorithm, encoding, expected) {
  const hash = createHash(algorithm)
  await pipeline(createReadStream(file), hash)
  const found = hash.digest(encoding)
  if (found === expected) return
  throw new NativeError(
    `${file} is not the file that was pinned: its ${algorithm} is ${found}, not ${expected}. Nothing was installed.`,
  )
}

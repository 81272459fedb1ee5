// Runs the programs that an installation needs, and says in one sentence what to do when one is missing or fails.

import { spawn, spawnSync } from 'node:child_process'

/** Something about this machine that the reader can put right. */
export class NativeError extends Error {
  name = 'NativeError'
}

/** Compilers in order of preference; CXX goes first. */
function compilers() {
  return [process.env.CXX, 'g++', 'clang++', 'c++'].filter((name) => name)
}

function answers(program, args) {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}

/** The C++ compiler; NativeError that says how to get one. */
export function findCompiler() {
  const compiler = compilers().find((name) => answers(name, ['--version']))
  if (compiler === undefined) throw new NativeError(`missing on this machine: ${NO_COMPILER}.`)
  return compiler
}

const NO_COMPILER =
  'a C++ compiler (Debian, Ubuntu: apt-get install g++; Fedora: dnf install gcc-c++)'

/** The programs an installation of the library uses; NativeError that names every one that is missing and how to get it. */
export function findPrograms() {
  const missing = []
  const python = ['python3', 'python'].find((name) => answers(name, ['--version']))
  if (python === undefined) {
    missing.push('python3 (Debian, Ubuntu: apt-get install python3 python3-pip)')
  } else if (!answers(python, ['-m', 'pip', '--version'])) {
    missing.push(
      `pip for ${python} (Debian, Ubuntu: apt-get install python3-pip; elsewhere: ${python} -m ensurepip)`,
    )
  }
  const compiler = compilers().find((name) => answers(name, ['--version']))
  if (compiler === undefined) missing.push(NO_COMPILER)
  if (missing.length > 0) throw new NativeError(`missing on this machine: ${missing.join('; ')}.`)
  return { python, compiler }
}

/** Throws where the wheel does not fit: it is for Linux on x86-64 with glibc. */
export function checkPlatform() {
  const platform = `${process.platform}-${process.arch}`
  if (platform !== 'linux-x64') {
    throw new NativeError(`no library is known for ${platform}, only for linux-x64. ${ELSEWHERE}`)
  }
  if (process.report.getReport().header.glibcVersionRuntime === undefined) {
    throw new NativeError(
      `this Linux has no glibc (Alpine?), which the library needs. ${ELSEWHERE}`,
    )
  }
}

const ELSEWHERE =
  'Install @tensorflow/tfjs-node if its prebuilt library exists for this machine; else the WebAssembly engine does the work.'

/** Runs a program to its end; with `show` its output goes to the terminal, else into the error when it fails. */
export function runProgram(program, args, { cwd, show = false, failure }) {
  return new Promise((resolve, reject) => {
    const stdio = show ? ['ignore', 'inherit', 'pipe'] : ['ignore', 'pipe', 'pipe']
    const child = spawn(program, args, { cwd, stdio, shell: process.platform === 'win32' })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data) => (output += data))
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(output)
      else reject(new NativeError(`${failure}\n${lastLines(output, 12)}`))
    })
  })
}

function lastLines(text, count) {
  return text
    .trimEnd()
    .split('\n')
    .slice(-count)
    .map((line) => `    ${line}`)
    .join('\n')
}

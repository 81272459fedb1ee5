/** @file npm run native where something is missing or wrong: clear words, nothing half installed. The real library is 207 MB. */

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { targetFolder } from '../../scripts/native/installation.mjs'
import { INSTALLATION } from '../../scripts/native/pins.mjs'
import { nativeFolder } from '../../src/tensors/native-addons.ts'

let folder: string
let target: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-native-'))
  target = join(folder, 'native')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the script with only these programs to be found. */
function native(args: readonly string[], programs: Readonly<Record<string, string>> = {}) {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/native.mjs', ...args], {
    env: { PATH: bin, MILLRACE_NATIVE: target },
    encoding: 'utf8',
  })
  return { code: status, stdout, stderr }
}

/** A pip whose download is `content`; builtins of the shell only. */
function pipThatBrings(content: string): string {
  return `
    case "$*" in
      *download*)
        while [ "$1" != --dest ]; do shift; done
        read -r _ < /dev/null
        ${JSON.stringify(process.execPath)} -e '
          require("fs").mkdirSync(process.argv[1], { recursive: true })
          require("fs").writeFileSync(process.argv[1] + "/some.whl", "${content}")' "$2" ;;
    esac`
}

const onLinux = describe.runIf(process.platform === 'linux' && process.arch === 'x64')

onLinux('npm run native', () => {
  test('names every program that is missing and how to get it', () => {
    const { code, stderr } = native(['--library'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/missing on this machine: python3 .*apt-get.*; a C\+\+ compiler .*g\+\+/)
  })

  test('tells a python3 without pip from none', () => {
    const python3 = 'case "$*" in *pip*) exit 1;; esac'
    const { code, stderr } = native(['--library'], { python3, 'g++': '' })
    expect(code).toBe(1)
    expect(stderr).toMatch(/missing on this machine: pip for python3/)
    expect(stderr).not.toContain('compiler')
  })

  test('refuses a wheel that is not the one that was pinned, and installs nothing', () => {
    const { code, stderr, stdout } = native(['--library'], {
      python3: pipThatBrings('forged'),
      'g++': '',
    })
    expect(stdout).toContain('1/5 downloading tensorflow-cpu==')
    expect(stderr).toMatch(/some\.whl is not the file that was pinned: its sha256 is .*not 54660c/)
    expect(code).toBe(1)
    expect(readdirSync(target)).toEqual(['failed.json'])
  })

  test('shows what pip said when the download fails', () => {
    const python3 = 'case "$*" in *download*) echo no route to host >&2; exit 1;; esac'
    const { code, stderr } = native(['--library'], { python3, 'g++': '' })
    expect(code).toBe(1)
    expect(stderr).toMatch(/pip could not download .*\n +no route to host/)
  })

  test('--if-possible says once why not, ends well, and is silent from then on', () => {
    const first = native(['--library', '--if-possible'])
    expect(first).toMatchObject({ code: 0 })
    expect(first.stderr).toContain('going on without it. missing on this machine')
    expect(native(['--library', '--if-possible'])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(native(['--library']).stderr, 'asked for, it tries again').toContain(
      'missing on this machine',
    )
  })

  test('--if-possible leaves an installation of today’s pins as it is', () => {
    mkdirSync(target)
    writeFileSync(join(target, 'installed.json'), JSON.stringify(INSTALLATION))
    expect(native(['--library', '--if-possible'])).toEqual({ code: 0, stdout: '', stderr: '' })
    const old = JSON.stringify({ ...INSTALLATION, wheel: 'an older one' })
    writeFileSync(join(target, 'installed.json'), old)
    expect(native(['--library', '--if-possible']).stderr, 'of older pins').toContain(
      'missing on this machine',
    )
    expect(readFileSync(join(target, 'installed.json'), 'utf8')).toBe(old)
  })

  test('without a compiler neither is made, and each says why', () => {
    const { code, stderr } = native([])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /missing on this machine: a C\+\+ compiler [^;]*;[^;]*\n.*missing .*: python3/,
    )
    expect(native(['--kernels', '--if-possible']), 'once said').toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    })
  })

  test('a compiler that fails leaves nothing behind, and its words are shown', () => {
    const compiler = 'case "$*" in *version*) ;; *) echo no such header >&2; exit 1;; esac'
    const { code, stderr } = native(['--kernels'], { 'g++': compiler })
    expect(code).toBe(1)
    expect(stderr).toMatch(/could not compile the kernels[\s\S]*no such header/)
    expect(readdirSync(target)).toEqual(['kernels-failed.json'])
  })

  test('script and engine look into the same folder', () => {
    for (const variables of [
      { MILLRACE_NATIVE: 'off' },
      { MILLRACE_NATIVE: 'here' },
      { XDG_CACHE_HOME: '/cache' },
      {},
    ]) {
      expect(targetFolder(variables)).toBe(nativeFolder(variables))
    }
  })

  test('MILLRACE_NATIVE=off is respected', () => {
    target = 'off'
    expect(native(['--library']).stderr).toContain('MILLRACE_NATIVE=off refuses')
    expect(native(['--library', '--if-possible'])).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test('--remove deletes what it installed and nothing else, and says when there was nothing', () => {
    mkdirSync(target)
    for (const name of ['installed.json', 'libtensorflow_cc.so.2'])
      writeFileSync(join(target, name), '')
    expect(native(['--remove']).stdout).toBe(`removed everything from ${target}\n`)
    expect(existsSync(target)).toBe(false)
    expect(native(['--remove']).stdout).toBe(`nothing to remove in ${target}\n`)
    mkdirSync(target)
    for (const name of ['installed.json', 'my notes']) writeFileSync(join(target, name), '')
    native(['--remove'])
    expect(readdirSync(target)).toEqual(['my notes'])
  })

  test('a flag that does not exist is refused', () => {
    const { code, stderr } = native(['--fast'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/--fast[\s\S]*Example: npm run native/)
  })
})

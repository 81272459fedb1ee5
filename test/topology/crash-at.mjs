// Preloaded into a learner: counts every call that changes the disk and, at call CRASH_AT, kills the process with SIGKILL:
// in the middle of a write, before anything else. With CRASH_WITH=ENOSPC the disk is full from that call on instead: what needs
// room fails. CRASH_COUNT names a file for the number of calls of a calm run.

import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const crashAt = Number(process.env.CRASH_AT ?? 0)
let calls = 0

const full = process.env.CRASH_WITH === 'ENOSPC'
/** Calls that work on a full disk. */
const NEEDS_NO_ROOM = ['truncateSync', 'ftruncateSync', 'unlinkSync', 'rmSync', 'fsyncSync', 'fdatasyncSync', 'renameSync']

function die(name) {
  if (full) {
    const error = new Error(`ENOSPC: no space left on device, ${name.replace('Sync', '')}`)
    throw Object.assign(error, { code: 'ENOSPC', syscall: name, errno: -28 })
  }
  process.kill(process.pid, 'SIGKILL')
  // The signal is on its way; nothing may run until it is here.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

const write = fs.writeSync
fs.writeSync = (fd, data, ...rest) => {
  calls += 1
  if (calls === crashAt || (full && crashAt > 0 && calls > crashAt && fd > 2)) {
    if (ArrayBuffer.isView(data)) {
      const half = data.subarray(0, Math.floor(data.byteLength / 2))
      const [at, length, position] = rest
      const isOffset = typeof at === 'number' && typeof length === 'number'
      if (isOffset) write(fd, data, at, Math.floor(length / 2), position)
      else if (half.byteLength > 0) write(fd, half)
    }
    die('writeSync')
  }
  return write(fd, data, ...rest)
}

for (const name of ['fsyncSync', 'fdatasyncSync', 'renameSync', 'truncateSync', 'ftruncateSync', 'unlinkSync', 'rmSync', 'mkdirSync', 'writeFileSync', 'linkSync', 'writevSync', 'copyFileSync']) {
  const original = fs[name]
  fs[name] = (...args) => {
    calls += 1
    const fails = full ? crashAt > 0 && calls >= crashAt && !NEEDS_NO_ROOM.includes(name) : calls === crashAt
    if (fails) die(name)
    return original(...args)
  }
}

// Checkpoints are written without waiting for the disk.
const probe = await fs.promises.open(process.execPath, 'r')
const handle = Object.getPrototypeOf(probe)
await probe.close()
for (const [owner, name] of [[handle, 'write'], [handle, 'sync'], [fs.promises, 'rename'], [fs.promises, 'rm']]) {
  const original = owner[name]
  owner[name] = async function (...args) {
    calls += 1
    const fails = full ? crashAt > 0 && calls >= crashAt && name === 'write' : calls === crashAt
    if (fails) {
      if (name === 'write') await original.call(this, args[0].subarray(0, Math.floor(args[0].byteLength / 2)))
      die(name)
    }
    return original.apply(this, args)
  }
}

syncBuiltinESMExports()

const counted = process.env.CRASH_COUNT
if (counted !== undefined) {
  process.on('exit', () => {
    fs.appendFileSync(counted, `${calls}\n`)
  })
}

/** @file millrace doctor as a user types it: with every tool, with none, and with the native engine refused. */

import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Ended, start } from './cli.ts'
import { jobText, openJobLog, produceWorld, smallJob, temporaryFolder } from './temporary-job.ts'

/** The command where only programs in `path` are found and no native library is installed. */
function doctor(environment: Readonly<Record<string, string>>): Promise<Ended> {
  return start(['doctor'], { environment }).ended
}

describe('doctor', () => {
  test('says which Node and which engine, and why', async () => {
    const { code, stdout } = await doctor({})
    expect(code).toBe(0)
    expect(stdout).toMatch(/^node +\d+\.\d+\.\d+ \(20\.10 or later is needed\)$/m)
    expect(stdout).toMatch(
      /^engine +(native: using Millrace's own kernels|tfjs-native: .*; using TensorFlow|tfjs-wasm: .*; using the WebAssembly)/m,
    )
  })

  test('without a compiler, says how to get one', async () => {
    const { code, stdout } = await doctor({
      MILLRACE_NATIVE: '/nowhere',
      PATH: '/nowhere',
      CXX: '',
    })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^engine +tfjs-wasm: no kernels .*MILLRACE_NATIVE names \/nowhere/m)
    expect(stdout).toMatch(/a C\+\+ compiler: missing; .*g\+\+$/m)
    expect(stdout).toMatch(/^faster +npm run native/m)
  })

  test('with the native engine refused, says what refuses it', async () => {
    const { stdout } = await doctor({ MILLRACE_NATIVE: 'off' })
    expect(stdout).toMatch(/^engine +tfjs-wasm: .*MILLRACE_NATIVE=off/m)
    expect(stdout).toMatch(/^faster +unset MILLRACE_NATIVE/m)
  })

  test('of a job, says what its windows lose and which would lose less', async () => {
    const folder = temporaryFolder()
    const job = smallJob(folder)
    writeFileSync(`${folder}/job.yaml`, jobText(folder))
    const log = await openJobLog(job)
    await produceWorld(job, log, 3_000)
    await log.close()
    const { code, stdout, stderr } = await start(['doctor', `${folder}/job.yaml`]).ended
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(
      /click: its window of 30 s loses 0(\.\d+)?% of the labels that come within 8 min/,
    )
    expect(stdout).toMatch(/labels, half of them by \d(\.\d+)? s; still to come: 5% by \d+/)
    expect(stdout).toMatch(/30 s loses [\d.]+% of click, \d{2}% of like/)
  })

  test('--help shows an example', async () => {
    const { stdout } = await start(['doctor', '--help']).ended
    expect(stdout).toContain('Examples:\n  millrace doctor')
  })
})

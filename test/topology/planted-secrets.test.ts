/** @file Secrets that a job refers to are in nothing that Millrace writes: output, errors, metrics, status, reports. */

import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Ended, start } from './cli.ts'
import { jobText, temporaryFolder } from './temporary-job.ts'

const PLANTED = 'hunter2-planted-secret'

/** A job on a broker that is not there, with a password from the environment and a key from a file. */
function kafkaJob(folder: string): string {
  writeFileSync(`${folder}/password`, PLANTED)
  const bus = `bus: { kind: kafka, brokers: ['127.0.0.1:1'], sasl: { mechanism: plain, username: me, password: { from_env: PLANTED_PASSWORD } } }`
  return jobText(folder).replace(/^bus: .*$/m, bus)
}

test.each([['check'], ['describe'], ['doctor'], ['run']])(
  'millrace %s does not give a planted password away, whether it works or fails',
  async (command) => {
    const folder = temporaryFolder()
    writeFileSync(`${folder}/job.yaml`, kafkaJob(folder))
    const environment = { PLANTED_PASSWORD: PLANTED }
    const running = start([command, `${folder}/job.yaml`], { environment })
    const timer = setTimeout(() => running.process.kill('SIGKILL'), 20_000)
    const ended: Ended = await running.ended
    clearTimeout(timer)
    expect(ended.stdout + ended.stderr).not.toBe('')
    expect(ended.stdout + ended.stderr).not.toContain(PLANTED)
  },
  60_000,
)

test('a scorer with a wrong token says so without saying the right one', async () => {
  const folder = temporaryFolder()
  const environment = { SCORER_TOKEN: PLANTED }
  const args = ['serve', '--from', folder, '--port', '0', '--token-env', 'SCORER_TOKEN']
  const running = start(args, { environment })
  const timer = setTimeout(() => running.process.kill('SIGTERM'), 3_000)
  const ended = await running.ended
  clearTimeout(timer)
  expect(ended.stdout + ended.stderr).not.toContain(PLANTED)
}, 60_000)

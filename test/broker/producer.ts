/** @file A process that appends numbers to a topic, a few per call, and says what was acknowledged; run by crash tests. */

import { openFileLog } from '../../src/broker/file-log/file-log.ts'

const [path = '', topic = '', fsync = 'never', until = '0'] = process.argv.slice(2)

try {
  const log = await openFileLog({
    path,
    fsync: fsync === 'always' ? 'always' : 'never',
    segmentBytes: 4000,
  })
  // An append of nothing makes this the writer, so that nobody else moves the end that is looked up next.
  await log.append(topic, [])
  const bounds = await log.bounds(topic)
  let next = bounds.reduce((sum, at) => sum + at.latest, 0)
  while (next < Number(until)) {
    const numbers = Array.from({ length: 1 + (next % 7) }, (_, i) => next + i)
    await log.append(
      topic,
      numbers.map((n) => ({
        key: Buffer.from(`key-${n % 5}`),
        value: Buffer.from(String(n).repeat(1 + (n % 40))),
        timestampMs: n,
        partition: 0,
      })),
    )
    next += numbers.length
    process.stdout.write(`${next}\n`)
  }
  await log.close()
} catch (error) {
  process.stdout.write(`${JSON.stringify(error)} ${String(error)}\n`)
  process.exitCode = 1
}

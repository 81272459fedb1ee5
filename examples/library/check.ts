// Reads a job as a program: a wrong one is one error that names file, line, value and remedy.
import { MillraceError, MemoryLog, openEngine, parseJob, type TopicLog } from 'millrace'

const text = `
name: small
bus: { kind: memory }
events:
  kinds:
    - { kind: impression, topic: shown, schema: schemas/impression.avsc, time: event_time, anchor: true }
    - { kind: click, topic: clicked, schema: schemas/click.avsc, time: event_time }
join:
  tasks: [{ name: click, window_ms: 30000 }]
features:
  - { name: user, kind: id, from: user_id }
model: { kind: mmoe, experts: 2 }
`
const job = parseJob('small.yaml', text)
console.log(job.name, 'learns', job.join.tasks.map(({ name, windowMs }) => `${name} within ${windowMs} ms`))

try {
  parseJob('small.yaml', text.replace('experts: 2', 'experts: two'))
} catch (thrown) {
  if (!(thrown instanceof MillraceError)) throw thrown
  console.log(thrown.code, thrown.message)
}

// What a test of your own producer needs: a log in memory, and the engine that a learner would take here.
const log: TopicLog = new MemoryLog()
await log.createTopic({ topic: 'shown', partitions: 2, cleanup: 'delete' })
const key = new TextEncoder().encode('u1')
await log.append('shown', [{ key, value: new Uint8Array([1, 2, 3]), timestampMs: 0 }])
console.log(await log.bounds('shown'))
const { name, reason } = await openEngine('auto')
console.log(name, reason)

// A shop appends its own events, of its own kinds, to the bus of examples/library/shop/job.yaml.
import { AvroCodec, besideJob, loadJob, loadSchema, openFileLog } from 'millrace'

const job = await loadJob('examples/library/shop/job.yaml')
if (job.bus.kind !== 'file') throw new Error('this example writes to a file bus')
const log = await openFileLog({ path: job.bus.path })
const codecs = new Map<string, AvroCodec>()
for (const { topic, schema } of job.events.kinds) {
  await log.createTopic({ topic, partitions: job.bus.partitions, cleanup: 'delete' })
  codecs.set(topic, new AvroCodec({ schema: loadSchema(besideJob(job, schema)) }))
}

async function append(topic: string, event: Record<string, unknown>): Promise<void> {
  const value = codecs.get(topic)?.encode(event)
  if (value === undefined) throw new Error(`the job reads no topic ${topic}`)
  // Same key, same partition: an event and its second delivery must meet.
  const key = new TextEncoder().encode(String(event['user_id']))
  await log.append(topic, [{ key, value, timestampMs: Number(event['seen_at']) }])
}

const start = Date.UTC(2026, 0, 5, 9)
for (let i = 0; i < 1000; i++) {
  const seen_at = start + i * 1000
  const view = { event_id: `v${i}`, user_id: `u${i % 50}`, product_id: `p${i % 7}`, seen_at, price: 5 + (i % 7) }
  await append('views', view)
  if (i % 7 !== 3) continue
  await append('purchases', { ...view, event_id: `b${i}`, seen_at: seen_at + 20_000 })
}
await log.close()

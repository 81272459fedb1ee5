// Scores with a model that is known from its topic alone. Run the learner first: `npm start`.
import { FeatureEncoder, Follower, openChunkCodec, openFileLog, plainEngine } from 'millrace'

const codec = openChunkCodec()
const follower = new Follower(plainEngine())
const log = await openFileLog({ path: '.millrace/simulated/bus', access: 'read-only' })

for (let offset = 0; ; ) {
  const [batch] = await log.read([{ topic: 'model', partition: 0, offset }], 64)
  if (batch === undefined) break // the end of the topic as it is now; read on later from `offset`
  for (const { value } of batch.records) {
    const decoded = codec.decode(value)
    if (decoded.kind === 'chunk') follower.follow(decoded.chunk)
  }
  offset = batch.nextOffset
}
await log.close()

const { model } = follower
if (model === undefined) throw new Error('the topic holds no whole model yet')
const encoder = new FeatureEncoder(model.spec, model.state)
encoder.setStatistics(model.standardisation)
const fields = { user_id: 'u1', item_id: 'i1', category: 'music', position: 0, tags: ['new'] }
const scores = model.score(encoder.encode([{ fields, time: Date.UTC(2026, 2, 2, 20) }]))
for (const [t, task] of model.header.tasks.entries()) console.log(task, scores[t])

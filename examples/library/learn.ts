// A shop's learner inside a program: events in, quality and scores out. No process, no broker beside it.
import { learner, loadJob, MemoryLog } from 'millrace'

const job = await loadJob('examples/library/shop/job.yaml')
const shop = await learner({ ...job, name: 'shop-in-memory' }, { log: new MemoryLog() })

const start = Date.UTC(2026, 0, 5, 9)
for (let i = 0; i < 2000; i++) {
  const seen_at = start + i * 1000
  const view = { event_id: `v${i}`, user_id: `u${i % 50}`, product_id: `p${i % 7}`, seen_at, price: 5 }
  await shop.append('view', [view])
  if (i % 7 !== 3) continue // everybody buys p3 and nothing else
  await shop.append('purchase', [{ ...view, event_id: `b${i}`, seen_at: seen_at + 20_000 }])
}
await shop.learn()

const [bought, passed] = shop.score([{ user_id: 'u1', product_id: 'p3' }, { user_id: 'u1', product_id: 'p4' }], start)
console.log(shop.quality()[0]?.window.auc, bought, passed)
await shop.close()

// Writes a day of a small shop as newline-delimited JSON: what was shown, what went into the cart, what was bought.
// node examples/tutorial/make-events.mjs [views] > events.ndjson

const VIEWS = Number(process.argv[2] ?? 20_000)
const START = Date.UTC(2026, 0, 5, 6)
const STEP_MS = 4_000
const CATEGORIES = ['books', 'games', 'garden', 'music', 'shoes', 'tools']

let state = 20_260_105
/** mulberry32: the same events at every call. */
function uniform() {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

const products = Array.from({ length: 120 }, (_, i) => ({
  product_id: `p${i}`,
  category: CATEGORIES[i % CATEGORIES.length],
  price: Number((3 + 200 * uniform() ** 3).toFixed(2)),
  appeal: uniform() * 2 - 1,
}))
const users = Array.from({ length: 800 }, (_, i) => ({
  user_id: `u${i}`,
  country: ['DE', 'FR', 'PL'][i % 3],
  taste: CATEGORIES[Math.floor(uniform() * CATEGORIES.length)],
}))
const pick = (list) => list[Math.floor(uniform() * list.length)]
const sigmoid = (z) => 1 / (1 + Math.exp(-z))

const events = []
for (let i = 0; i < VIEWS; i++) {
  const time = START + i * STEP_MS + Math.floor(uniform() * 2_000)
  const { user_id, country, taste } = pick(users)
  const { product_id, category, price, appeal } = pick(products)
  const device = uniform() < 0.7 ? 'phone' : 'desktop'
  const seen = { user_id, product_id, category, price, country, device }
  events.push({ time, type: 'view', ...seen })
  const wish = appeal + (taste === category ? 1.8 : 0) - price / 150 + (device === 'desktop' ? 0.4 : 0)
  if (uniform() >= sigmoid(wish - 2)) continue
  const cart = time + Math.floor(60_000 * uniform())
  events.push({ time: cart, type: 'cart', user_id, product_id })
  if (uniform() >= sigmoid(wish - 0.8)) continue
  events.push({ time: cart + Math.floor(240_000 * uniform()), type: 'purchase', user_id, product_id })
}
events.sort((a, b) => a.time - b.time)
for (const [i, { time, ...event }] of events.entries()) {
  const row = { event_id: `e${i}`, at: new Date(time).toISOString(), ...event }
  process.stdout.write(`${JSON.stringify(row)}\n`)
}

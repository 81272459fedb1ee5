// A consumer of the model topic from docs/model-topic.md alone: no code of millrace reads the update. It rebuilds an MMoE
// and proves it by the probe. `openFileLog` only hands over the records' bytes.
import { createHash } from 'node:crypto'
import { openFileLog } from 'millrace'

const utf8 = new TextDecoder()

/** Avro binary: zigzag varints, and bytes with their length in front. */
function avroReader(bytes: Uint8Array, start: number) {
  let at = start
  const long = (): number => {
    let value = 0
    let scale = 1
    let byte: number
    do {
      byte = bytes[at++] ?? 0
      value += (byte & 127) * scale
      scale *= 128
    } while (byte > 127)
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
  const raw = (): Uint8Array => {
    const length = long()
    at += length
    return bytes.subarray(at - length, at)
  }
  return { long, raw, text: () => utf8.decode(raw()) }
}

/** The fields of schemas/model-update.avsc, in order, after a header of 10 bytes. */
function readChunk(record: Uint8Array) {
  const { long, raw, text } = avroReader(record, 10)
  return {
    model_id: text(),
    trainer_epoch: long(),
    sequence: long(),
    kind: long() === 0 ? 'full' : 'delta',
    chunk: long(),
    chunks: long(),
    sha256: text(),
    parent_sha256: text(),
    full_offset: long(),
    body: raw(),
  }
}

/** The body: little-endian, every text, JSON and array with its byte length in front. */
function bodyReader(body: Uint8Array) {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  let at = 0
  const u32 = (): number => view.getUint32((at += 4) - 4, true)
  const u8 = (): number => view.getUint8(at++)
  const raw = (): Uint8Array => {
    const length = u32()
    at += length
    return body.subarray(at - length, at)
  }
  const text = (): string => utf8.decode(raw())
  const copy = (): ArrayBuffer => Uint8Array.from(raw()).buffer // aligned, and not a view of a pool
  return {
    u32,
    u8,
    raw,
    text,
    json: () => JSON.parse(text()),
    u32s: () => new Uint32Array(copy()),
    f32s: () => new Float32Array(copy()),
    f64s: () => new Float64Array(copy()),
  }
}

/** The contents of the sections behind the header, by name. */
function readSections(read: ReturnType<typeof bodyReader>) {
  const known = ['dense', 'statistics', 'rows', 'probe']
  const sections = new Map<string, ReturnType<typeof bodyReader>>()
  for (let left = read.u32(); left > 0; left--) {
    const [name, version, required] = [read.text(), read.u32(), read.u8()]
    const content = read.raw()
    if (known.includes(name) && version === 1) sections.set(name, bodyReader(content))
    else if (required) throw new Error(`this consumer is too old: section ${name} version ${version}`)
  }
  return (name: string) => sections.get(name) ?? bodyReader(new Uint8Array())
}

/** Everything that scoring needs. */
let header: any // plain JSON: see "Header" on the page
const dense = new Map<string, Float32Array>()
const rows = new Map<string, Float32Array>()
let parent = ''

function take(body: Uint8Array): number {
  const start = bodyReader(body)
  header = start.json()
  if (header.format !== 2) throw new Error(`format ${header.format}`)
  const section = readSections(start)
  takeWeights(section('dense'), section('rows'))
  // The section of statistics is for standardised inputs: this job has none.
  return checkProbe(section('probe'))
}

function takeWeights(weights: ReturnType<typeof bodyReader>, table: ReturnType<typeof bodyReader>): void {
  for (let left = weights.u32(); left > 0; left--) {
    const name = weights.text()
    weights.json() // its shape
    dense.set(name, weights.f32s())
  }
  const keys = table.u32s()
  const values = table.f32s()
  const { width } = header.table
  if (header.kind === 'full') rows.clear()
  for (let i = 0; i < keys.length / 2; i++) {
    rows.set(`${keys[2 * i]}:${keys[2 * i + 1]}`, values.slice(i * width, (i + 1) * width))
  }
}

/** The largest difference between the trainer's scores and the scores of what was loaded. */
function checkProbe(read: ReturnType<typeof bodyReader>): number {
  const { width } = header.table
  const count = read.u32()
  const inputs = Array.from({ length: count }, () => ({ x: [] as number[], wide: [0, 0, 0] }))
  for (let left = read.u32(); left > 0; left--) {
    const pooling = read.text()
    const [hi, lo, starts] = [read.u32s(), read.u32s(), read.u32s()]
    for (const [row, { x, wide }] of inputs.entries()) {
      const [from = 0, to = 0] = starts.subarray(row, row + 2)
      const share = pooling === 'mean' ? 1 / (to - from) : 1
      const pooled = new Float32Array(width)
      for (let k = from; k < to; k++) {
        const vector = rows.get(`${hi[k]}:${lo[k]}`) ?? initialVector(hi[k] ?? 0, lo[k] ?? 0)
        for (let c = 0; c < width; c++) pooled[c] = (pooled[c] ?? 0) + share * (vector[c] ?? 0)
      }
      x.push(...pooled.subarray(0, header.model.dim))
      for (const [t, w] of pooled.subarray(header.model.dim).entries()) wide[t] = (wide[t] ?? 0) + w
    }
  }
  read.u32() // dense inputs per row: this job has none
  read.f32s()
  const expected = read.f32s()
  const scores = inputs.map(({ x, wide }) => mmoe(x, wide))
  const tasks: number[] = header.tasks.map((_: string, t: number) => t)
  return Math.max(
    ...tasks.flatMap((t) => scores.map((s, i) => Math.abs((s[t] ?? 0) - (expected[t * count + i] ?? 0)))),
  )
}

function mix32(word: number): number {
  let h = word | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** The vector of an id that has no row: a function of its key. */
function initialVector(hi: number, lo: number): Float32Array {
  let seed = mix32(header.table.seed)
  for (const letter of 'embedding') seed = mix32(seed ^ letter.charCodeAt(0))
  const word = mix32(hi ^ mix32(lo ^ seed))
  return Float32Array.from({ length: header.table.width }, (_, c) => {
    if (c >= header.model.dim) return 0 // the linear weights behind the embedding
    const uniform = mix32(word + Math.imul(c + 1, 0x9e3779b9)) / 4294967296
    return (2 * uniform - 1) * header.table.deviation * Math.sqrt(3)
  })
}

/** y = x W + b, W being [inputs, outputs], row-major. */
function linear(name: string, x: readonly number[]): number[] {
  const weight = dense.get(`${name}.weight`) ?? new Float32Array()
  return Array.from(dense.get(`${name}.bias`) ?? [], (bias, o) =>
    x.reduce((sum, value, i) => sum + value * (weight[i * (weight.length / x.length) + o] ?? 0), bias),
  )
}

function reluStack(name: string, layers: number, x: readonly number[]): readonly number[] {
  let out = x
  for (let i = 0; i < layers; i++) out = linear(`${name}.layer.${i}`, out).map((v) => Math.max(0, v))
  return out
}

/** h_t = sum_k softmax(W_t x)_k expert_k(x), and the linear part; one probability per task. */
function mmoe(x: readonly number[], wide: readonly number[]): number[] {
  const { experts, expert_hidden, tower_hidden } = header.model
  const outputs = Array.from({ length: experts }, (_, k) => reluStack(`expert.${k}`, expert_hidden.length, x))
  return header.tasks.map((_: string, t: number) => {
    const gate = linear(`gate.task.${t}.out`, x).map(Math.exp)
    const total = gate.reduce((a, b) => a + b)
    const h = (outputs[0] ?? []).map((_, j) =>
      outputs.reduce((sum, out, k) => sum + ((gate[k] ?? 0) / total) * (out[j] ?? 0), 0),
    )
    const [logit = 0] = linear(`tower.${t}.out`, reluStack(`tower.${t}`, tower_hidden.length, h))
    return 1 / (1 + Math.exp(-logit - (wide[t] ?? 0)))
  })
}

const log = await openFileLog({ path: '.millrace/simulated/bus', access: 'read-only' })
let parts: Uint8Array[] = []
for (let offset = 0; ; ) {
  const [batch] = await log.read([{ topic: 'model', partition: 0, offset }], 64)
  if (batch === undefined) break
  for (const { value } of batch.records) {
    const chunk = readChunk(value)
    if (chunk.chunk === 0) parts = []
    parts.push(chunk.body)
    if (parts.length < chunk.chunks) continue
    const body = Buffer.concat(parts)
    const sha256 = createHash('sha256').update(body).digest('hex')
    if (sha256 !== chunk.sha256) throw new Error(`version ${chunk.sequence} is corrupt`)
    if (chunk.kind === 'delta' && chunk.parent_sha256 !== parent) throw new Error('gap or fork')
    parent = sha256
    const off = take(body)
    if (!(off < 1e-4)) throw new Error(`the probe of version ${chunk.sequence} is off by ${off}`)
    console.log(`version ${chunk.sequence}, ${chunk.kind}: ${rows.size} rows, probe off by ${off.toExponential(1)}`)
  }
  offset = batch.nextOffset
}
await log.close()

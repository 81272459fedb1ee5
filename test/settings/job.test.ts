import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { besideJob, loadJob, parseJob } from '../../src/settings/job.ts'
import { JOB_TEXT } from './job-text.ts'

const LINES = JOB_TEXT.split('\n')
/** Lines that hold one setting: what stands before the key, the key, the value. */
const SETTING = /^(\s*(?:- )?)([a-z_]+): (.+)$/
const settingLines = LINES.flatMap((line, index) => (SETTING.test(line) ? [index] : []))

/** The lines of the message when the text is no valid job. */
function problemsOf(text: string): string[] {
  try {
    parseJob('job.yaml', text)
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    expect(error.code).toBe('BAD_SETTINGS')
    return error.message.split('\n')
  }
  return []
}

function withLine(index: number, line: string): string {
  return LINES.map((old, i) => (i === index ? line : old)).join('\n')
}

/** The valid job with one piece of text replaced; the piece must be there. */
function changed(from: string, to: string): string {
  expect(JOB_TEXT).toContain(from)
  return JOB_TEXT.replace(from, to)
}

describe('a valid job', () => {
  test('is typed, with what was written and every default', () => {
    const job = parseJob('job.yaml', JOB_TEXT)
    expect(job.name).toBe('shop-feed')
    expect(job.events.kinds[2]).toMatchObject({
      kind: 'like',
      label: { field: 'stars', atLeast: 4 },
    })
    expect(job.join.tasks[1]).toEqual({ name: 'great', kind: 'like', windowMs: 60_000 })
    expect(job.balance).toMatchObject({ kind: 'gradnorm', alpha: 1.5 })
    expect(job.train.dense).toMatchObject({ learning_rate: 0.002, beta1: 0.9 })
    expect(job.observe).toEqual({
      log: 'warn',
      window: 500,
      delayed_share: 0.1,
      predictions: 4_194_304,
      drift: {
        block: 64,
        adwin_delta: 0.002,
        page_hinkley_threshold: 24,
        feature_rows: 10_000,
      },
      examine_every_steps: 64,
      http: { enabled: true, host: '127.0.0.1', port: 0 },
    })
  })

  test('keeps references to secrets and variables as they are written', () => {
    const job = parseJob('job.yaml', JOB_TEXT)
    expect(job.bus).toMatchObject({
      brokers: ['broker-1:9092', expect.stringMatching(/^\$\{SECOND_BROKER\}$/)],
      sasl: { password: { from_env: 'BUS_PASSWORD' } },
    })
  })

  test('needs no section that has defaults', () => {
    const short = JOB_TEXT.replace(/^(batch|balance|train|publish|observe):\n( .*\n)+/gm, '')
    expect(short).not.toMatch(/^(batch|balance|train|publish|observe):/m)
    const job = parseJob('job.yaml', short)
    expect(job.observe.http).toEqual({ enabled: true, host: '127.0.0.1', port: 9464 })
    expect(job.balance).toMatchObject({ kind: 'equal' })
  })

  test('is read from its file, and paths inside it start there', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-job-'))
    try {
      const file = join(directory, 'job.yaml')
      writeFileSync(file, JOB_TEXT)
      const job = await loadJob(file)
      expect(job.file).toBe(file)
      expect(besideJob(job, 'schemas/click.avsc')).toBe(join(directory, 'schemas/click.avsc'))
      expect(besideJob(job, '/etc/click.avsc')).toBe('/etc/click.avsc')
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test('that does not exist is an error that names the file', async () => {
    await expect(loadJob('/nowhere/job.yaml')).rejects.toMatchObject({
      code: 'BAD_SETTINGS',
      message: expect.stringContaining('/nowhere/job.yaml'),
      remedy: expect.stringContaining('examples/'),
    })
  })
})

describe('a wrong job', () => {
  test('a wrong value is reported at its own line, and nothing else is', () => {
    expect(settingLines.length).toBeGreaterThan(50)
    fc.assert(
      fc.property(
        fc.constantFrom(...settingLines),
        fc.constantFrom('{ wrong: 1 }', '[{ wrong: 1 }]'),
        (index, value) => {
          const [, before, key] = SETTING.exec(LINES[index] ?? '') ?? []
          const problems = problemsOf(withLine(index, `${before}${key}: ${value}`))
          expect(problems).not.toEqual([])
          for (const problem of problems) {
            expect(problem).toMatch(new RegExp(`^job\\.yaml:${index + 1}: .*${key}`))
          }
        },
      ),
      { seed: 41, numRuns: 300 },
    )
  })

  test('a misspelt key is reported at its own line with the name that was meant', () => {
    // A section is told apart by its `kind`: without it there is no saying which keys it may have.
    const named = settingLines.filter(
      (index) => !/^\s*(- )?kind: |from_env/.test(LINES[index] ?? ''),
    )
    fc.assert(
      fc.property(fc.constantFrom(...named), fc.constantFrom('x', '_', 'q'), (index, letter) => {
        const [, before, key, value] = SETTING.exec(LINES[index] ?? '') ?? []
        const problems = problemsOf(withLine(index, `${before}${key}${letter}: ${value}`))
        const found = problems.filter((problem) => problem.startsWith(`job.yaml:${index + 1}: `))
        expect(found.join()).toContain(`${key}${letter} is not a setting: did you mean ${key}?`)
      }),
      { seed: 42, numRuns: 300 },
    )
  })

  test.each([
    ['count: 64', 'count: -3', 'batch.count is -3: must be above 0 (samples per mini-batch)'],
    [
      'port: 0',
      'port: 70000',
      'observe.http.port is 70000: must be at most 65535 (e.g. port: 9464)',
    ],
    [
      'kind: mmoe',
      'kind: mmeo',
      /^model\.kind is "mmeo": must be one of .*\(did you mean mmoe\?\)$/,
    ],
    [
      'name: shop-feed\n',
      '',
      'name is missing: must be text (names the job in logs, metrics and published models)',
    ],
    ['tls: true', 'tls: yes', 'bus.tls is "yes": must be true or false (e.g. tls: false)'],
    [
      'kind: like\n      window',
      'kind: lik\n      window',
      'join.tasks[1].kind is "lik": must be a kind of feedback event (did you mean like?)',
    ],
    [
      'topic: model',
      'topic: likes',
      'publish.topic is "likes": must not be a topic that carries events',
    ],
    [
      'wide: false',
      'conditional: [{ task: great, given: clik }]',
      'model.conditional[0].given is "clik": must be a task (did you mean click?)',
    ],
    [
      'clip_norm: 5',
      'slot_rates: { tag: 0.5 }',
      'train.slot_rates.tag is 0.5: must be a feature that gives ids (did you mean tags?)',
    ],
    [
      'clip_norm: 5',
      'sparse: { kind: ftrl }\n  schedule: { warmup_steps: 5 }',
      /^train\.sparse\.kind is "ftrl": ftrl has one rate/,
    ],
    [
      'clip_norm: 5',
      'schedule: { reset_on_drift: true }',
      'train.schedule.reset_on_drift is true: needs decay_steps: there is no decay to start again',
    ],
    [
      'framing: single-object',
      'schema_ids: { clicks: 1, likes: 2 }\n  framing: confluent',
      /^bus\.schema_ids: must give the registry id of topic impressions$/,
    ],
    [
      'framing: single-object',
      "registry: { url: 'http://registry:8081' }\n  framing: single-object",
      'bus.registry: needs framing: confluent',
    ],
    [
      'framing: single-object',
      "registry: { url: 'http://registry:8081', username: ada }\n  framing: confluent",
      'bus.registry.username is "ada": username and password go together',
    ],
    [
      'framing: single-object',
      "registry: { url: 'http://ada:word@registry:8081' }\n  framing: confluent",
      /^bus\.registry\.url is "http:\/\/\(hidden\)@registry:8081": must be .* without credentials/,
    ],
    ['alpha: 1.5', 'alhpa: 1.5', 'balance.alhpa is not a setting: did you mean alpha?'],
    [
      'log: warn',
      'colour: 3',
      /^observe\.colour is not a setting: known here: http, log, window, delayed_share, drift, examine_every_steps, predictions$/,
    ],
    ['batch:\n  count: 64\n  every_ms: 10000', 'batch: {}', 'batch: set count, every_ms or both'],
    ['batch:\n  count: 64\n  every_ms: 10000', 'batch:', /^batch is empty: must be a mapping/],
  ])('%j changed to %j names the line, the value and what would be right', (from, to, expected) => {
    const line = JOB_TEXT.slice(0, JOB_TEXT.indexOf(from)).split('\n').length
    const [problem = '', ...others] = problemsOf(changed(from, to))
    expect(others).toEqual([])
    expect(problem).toMatch(new RegExp(`^job\\.yaml:${line}: `))
    const message = problem.slice(problem.indexOf(' ') + 1)
    expect(message).toEqual(
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    )
  })

  test('a feature whose rows of a user no tombstone finds is refused, unless its rows expire', () => {
    const erasing = changed(
      'kind: like\n      topic',
      'kind: erasure\n      topic: erasures\n      schema: e.avsc\n      key: user_id\n      erases: user_id\n    - kind: like\n      topic',
    ).replace(
      'batch:',
      '  - name: three\n    kind: cross\n    of: [user, tags, hour]\n  - name: pair\n    kind: rate\n    of: [user, hour]\n    tasks: [click]\nbatch:',
    )
    const [problem, ...others] = problemsOf(erasing)
    expect(others).toEqual([])
    expect(problem).toMatch(
      /features\[4\].* combines user with more than one other feature, where no tombstone .*train\.tables\.expire_hours/,
    )
    const expiring = erasing.replace(
      'clip_norm: 5',
      'clip_norm: 5\n  tables: { expire_hours: 720 }',
    )
    expect(problemsOf(expiring)).toEqual([])
  })

  test('all problems are reported at once, in the order of the file', () => {
    const text = changed('lateness_ms: 5000', 'lateness_ms: soon').replace('seed: 7', 'seed: -7')
    const problems = problemsOf(text.replace('partitions: 4', 'partitions: 0'))
    expect(problems.map((problem) => problem.split(' ')[1])).toEqual([
      'bus.partitions',
      'events.lateness_ms',
      'train.seed',
    ])
  })

  test('text that is no mapping at all is one problem', () => {
    expect(problemsOf('just words')).toEqual([
      'job.yaml:1: the file is "just words": must be a mapping (key: value lines)',
    ])
    expect(problemsOf('')).toEqual([
      'job.yaml:1: the file is empty: must be a mapping (key: value lines)',
    ])
  })

  test('a secret is not printed, wherever in the file it was planted', () => {
    const planted = 'hunter2'
    const places = [
      ['{ from_env: BUS_PASSWORD }', planted],
      ['{ from_env: BUS_PASSWORD }', `[${planted}]`],
      ['{ from_env: BUS_PASSWORD }', `{ from_env: ${planted}.. }`],
      ['{ from_env: BUS_PASSWORD }', `{ form_env: ${planted} }`],
      ['sasl:\n', `sasl:\n    pass_word: ${planted}\n`],
      ['tls: true', `tls: true\n  api_key: ${planted}`],
      ['tls: true', `tls: true\n  token: [${planted}, 1]`],
      ['tls: true', `tls: { privateKey: ${planted} }`],
      ['framing: single-object', `framing: kafka://user:${planted}@broker`],
      ['port: 0', `port: "http://user:${planted}@host/"`],
    ] as const
    for (const [from, to] of places) {
      const problems = problemsOf(changed(from, to))
      expect(problems, to).not.toEqual([])
      expect(problems.join('\n'), to).not.toContain(planted)
    }
  })
})

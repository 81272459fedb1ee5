import { expect, test } from 'vitest'
import { createLog, type LogLevel } from '../../src/observe/log.ts'

const NOON = Date.UTC(2026, 2, 2, 12)

function recording(level: LogLevel) {
  const lines: string[] = []
  const log = createLog({ level, clock: { now: () => NOON }, write: (line) => lines.push(line) })
  return { lines, log, parsed: () => lines.map((line) => JSON.parse(line)) }
}

test('a line is one JSON object with level, the injected time, fields and the sentence', () => {
  const { log, lines, parsed } = recording('info')
  log.child({ job: 'simulated' }).info({ epoch: 3 }, 'epoch ran')
  expect(lines.join('')).toMatch(/^[^\n]*\n$/)
  expect(parsed()).toEqual([
    {
      level: 'info',
      time: '2026-03-02T12:00:00.000Z',
      job: 'simulated',
      epoch: 3,
      msg: 'epoch ran',
    },
  ])
})

test('lines below the level are not written', () => {
  const { log, parsed } = recording('warn')
  log.debug({}, 'a')
  log.info({}, 'b')
  log.warn({}, 'c')
  log.error({}, 'd')
  expect(parsed().map((line) => line.msg)).toEqual(['c', 'd'])
})

test('planted secrets are never written, at the top, below it, or inside an address', () => {
  const { log, lines } = recording('trace')
  const planted = 'hunter2'
  log.info({ password: planted }, 'a')
  log.warn({ bus: { kind: 'kafka', sasl: { username: 'u', password: planted } } }, 'b')
  log.error({ bus: { token: planted, tls: { privateKey: planted } } }, 'c')
  log.info({ url: `kafka://user:${planted}@broker:9092/x` }, `at http://u:${planted}@host`)
  log.child({ secret: planted }).info({}, 'd')
  expect(lines).toHaveLength(5)
  expect(lines.join('')).not.toContain(planted)
  expect(lines.join('')).toContain('broker:9092')
})

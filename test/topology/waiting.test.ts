/** @file The line of progress: silent at first, then there, and gone at the end; and that the long commands have one. */

import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { CommandContext } from '../../topology/command-context.ts'
import { doctorCommand } from '../../topology/doctor-command.ts'
import { importCommand } from '../../topology/import-command.ts'
import { joinCommand } from '../../topology/join-command.ts'
import { produceCommand } from '../../topology/produce-command.ts'
import { runCommand } from '../../topology/run-command.ts'
import { scoreCommand } from '../../topology/score-command.ts'
import { snapshotCommand } from '../../topology/snapshot-command.ts'
import { Waiting, withProgress } from '../../topology/waiting.ts'
import { jobText, temporaryFolder } from './temporary-job.ts'

/** A terminal that keeps what is written to it, and a clock that goes on by `stepMs` at each look. */
function watched({ isTTY = false, startMs = 0, stepMs = 0 } = {}) {
  const written: string[] = []
  const time = { ms: startMs }
  const clock = { now: () => (time.ms += stepMs) }
  const terminal = { isTTY, write: (text: string) => written.push(text) > 0 }
  const context = {
    clock,
    terminal: terminal as unknown as CommandContext['terminal'],
    environment: {},
    print: () => undefined,
    script: '',
  }
  return { context, time, written }
}

test('nothing is shown in the first two seconds; then on a terminal four times a second, over the line before', () => {
  const { context, time, written } = watched({ isTTY: true })
  const waiting = new Waiting(context)
  for (const [ms, text] of [
    [1_999, 'a'],
    [2_000, 'b'],
    [2_100, 'c'],
    [2_250, 'd'],
  ] as const) {
    time.ms = ms
    waiting.show(() => text)
  }
  waiting.finish()
  expect(written).toEqual(['\r\u001b[Kb', '\r\u001b[Kd', '\r\u001b[K'])
})

test('without a terminal there is a whole line every ten seconds, which stays', () => {
  const { context, time, written } = watched()
  const waiting = new Waiting(context)
  for (const ms of [2_000, 9_000, 12_000]) {
    time.ms = ms
    waiting.show(() => `at ${ms}`)
  }
  waiting.finish()
  expect(written).toEqual(['at 2000\n', 'at 12000\n'])
})

test('the line goes away with the work, also with one that fails', async () => {
  const { context, written } = watched({ isTTY: true, stepMs: 3_000 })
  const failing = withProgress(context, async (waiting) => {
    waiting.show(() => 'so far')
    throw new Error('no further')
  })
  await expect(failing).rejects.toThrow('no further')
  expect(written).toEqual(['\r\u001b[Kso far', '\r\u001b[K'])
})

test('commands that may take long say how far they are', async () => {
  const folder = temporaryFolder()
  const job = `${folder}/job.yaml`
  writeFileSync(job, jobText(folder))
  writeFileSync(`${folder}/rows.ndjson`, '{"user_id":"u1","event_time":1772431200000}\n')
  const ids = { event_id: 'c', impression_id: 'i', user_id: 'u', item_id: 'i' }
  const click = { ...ids, event_time: 1_772_431_200_000 }
  writeFileSync(`${folder}/click.ndjson`, `${JSON.stringify(click)}\n`)
  const shownBy = async (command: (context: CommandContext) => Promise<void>): Promise<string> => {
    const { context, written } = watched({ startMs: Date.UTC(2027, 0), stepMs: 3_000 })
    await command(context)
    return written.join('')
  }
  const produce = { job, seed: 1, impressions: 600 }
  expect(await shownBy((context) => produceCommand(context, produce))).toMatch(/events appended/)
  await runCommand(watched().context, { job, exit: true, role: 'all' })
  const output = `${folder}/joined.ndjson`
  expect(await shownBy((context) => joinCommand(context, { job, output }))).toMatch(/joined/)
  expect(await shownBy((context) => doctorCommand(context, job))).toMatch(/records joined/)
  const input = [`${folder}/click.ndjson`]
  expect(await shownBy((context) => importCommand(context, { job, input }))).toMatch(/1 rows/)
  const from = `${folder}/bus`
  const files = { input: `${folder}/rows.ndjson`, output: `${folder}/scores.ndjson` }
  const score = { from, ...files, topic: 'model', timeField: 'event_time' }
  expect(await shownBy((context) => scoreCommand(context, score))).toMatch(/reading version/)
  const list = { kind: 'list' } as const
  expect(await shownBy((context) => snapshotCommand(context, { from }, list))).toMatch(
    /read \d+ of/,
  )
})

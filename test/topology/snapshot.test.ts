/** @file `millrace snapshot` on a real topic, as a process: what it lists, checks, pins and rolls back, and who obeys. */

import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { openModelSource } from '../../topology/serve-source.ts'
import { keyPair } from '../publish/keys.ts'
import { type Ended, run } from './cli.ts'
import { postRows, scorerOf } from './scorer-of.ts'
import { jobText, temporaryFolder } from './temporary-job.ts'

const ROW = {
  user_id: 'u1',
  category: 'music',
  tags: ['tag-1'],
  item_age_hours: 3,
  event_time: 1_772_431_200_000,
}

/** A bus with some signed versions; `snapshot` runs an action on it. */
async function published() {
  const folder = temporaryFolder()
  const keys = keyPair()
  writeFileSync(`${folder}/signing.pem`, keys.privatePem)
  writeFileSync(`${folder}/public.pem`, keys.publicPem)
  const job = jobText(folder).replace(
    'chunk_bytes: 4096',
    `chunk_bytes: 4096, signing_key: { from_file: ${folder}/signing.pem }`,
  )
  writeFileSync(`${folder}/job.yaml`, job)
  for (const args of [
    ['produce', `${folder}/job.yaml`, '--impressions', '2000'],
    ['run', `${folder}/job.yaml`, '--exit'],
  ]) {
    expect(await run(args)).toMatchObject({ code: 0 })
  }
  const source = ['--from', `${folder}/bus`, '--public-key', `${folder}/public.pem`]
  const key = ['--signing-key-file', `${folder}/signing.pem`]
  const snapshot = (...args: string[]): Promise<Ended> => run(['snapshot', ...args, ...source])
  const json = async (...args: string[]) => JSON.parse((await snapshot(...args)).stdout)
  return { folder, snapshot, json, key }
}

describe('millrace snapshot', () => {
  test('lists, shows, compares and verifies what the learner published', async () => {
    const { folder, snapshot, json } = await published()
    const versions = await json('list', '--json')
    expect(versions.map((one: { version: number }) => one.version)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(versions.map((one: { kind: string }) => one.kind[0]).join('')).toBe('fdddfdd')
    expect(new Set(versions.map((one: { signature: string }) => one.signature))).toEqual(
      new Set(['good']),
    )
    const shown = await json('show', '6')
    expect(shown).toMatchObject({
      sequence: 6,
      sha256: versions[5].sha256,
      kind: 'delta',
      tasks: ['click', 'like'],
    })
    expect(shown.sections.map(({ name }: { name: string }) => name)).toContain('graph')
    const same = await json('diff', '3', '3')
    expect(same.rows).toMatchObject({ added: 0, removed: 0, changed: 0 })
    const changed = await json('diff', '3', '6')
    expect(changed.rows.after - changed.rows.before).toBe(changed.rows.added)
    expect(changed.rows.changed).toBeGreaterThan(0)
    expect(changed.samples).toBe(versions[5].samples - versions[2].samples)
    expect(await snapshot('verify')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^7 versions: .*signed/),
    })
    writeFileSync(`${folder}/public.pem`, keyPair().publicPem)
    const doubtful = await snapshot('verify')
    expect(doubtful).toMatchObject({ code: 5, stdout: expect.stringContaining('signature') })
    expect(doubtful.stderr).toContain('0 versions are sound')
    expect(await snapshot('show', '99')).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('it has 1 to 7'),
    })
  }, 120_000)

  test('a scorer obeys a signed pin, a rollback and its release at once, and a rolled-back version stays back', async () => {
    const { folder, snapshot, json, key } = await published()
    const { url } = await scorerOf({
      source: await openModelSource(
        { from: `${folder}/bus`, publicKey: `${folder}/public.pem` },
        {},
      ),
    })
    const versionInUse = async (): Promise<number> => {
      const answer = await postRows(url, [ROW])
      return ((await answer.json()) as { version: number }).version
    }
    const reaches = async (version: number): Promise<void> => {
      for (let tries = 0; tries < 300 && (await versionInUse()) !== version; tries++)
        await sleep(50)
      expect(await versionInUse()).toBe(version)
    }
    await reaches(7)
    expect(await snapshot('pin', '3')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('signed decisions only'),
    })
    expect(await snapshot('pin', '3', ...key)).toMatchObject({ code: 0 })
    await reaches(3)
    expect(await snapshot('rollback', '5', '--reason', 'likes look wrong', ...key)).toMatchObject({
      code: 0,
    })
    await reaches(5)
    const states = (await json('list', '--json')).map((one: { state: string }) => one.state)
    expect(states).toEqual(['', '', '', '', 'pinned', 'withdrawn', 'withdrawn'])
    expect(await snapshot('pin', '7', ...key)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('stays back'),
    })
    expect(await snapshot('pin', '--release', ...key)).toMatchObject({ code: 0 })
    // The newest that was not withdrawn: 6 and 7 stay back.
    await reaches(5)
    const rows = `${folder}/rows.ndjson`
    writeFileSync(rows, `${JSON.stringify(ROW)}\n`)
    const scored = await run([
      'score',
      '--from',
      `${folder}/bus`,
      '--input',
      rows,
      '--output',
      `${folder}/scores.ndjson`,
    ])
    expect(scored.stdout).toContain('with version 5 of small')
    expect(readFileSync(`${folder}/scores.ndjson`, 'utf8')).toContain('"scores"')
  }, 120_000)
})

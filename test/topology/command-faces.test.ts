/** @file What every command has in common: help with examples, JSON, exit codes, no colours, completion. */

import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { EXIT_MEANINGS } from '../../topology/exit-codes.ts'
import { run } from './cli.ts'
import { jobText, temporaryFolder } from './temporary-job.ts'

const ESCAPE = '\u001b['

async function commands(): Promise<string[]> {
  const { stdout } = await run(['reference'])
  return [...stdout.matchAll(/^## millrace (.+)$/gm)].map(([, name = '']) => name)
}

test('every command has help with an example, and ends with 2 and a hint at it for an option that it does not have', async () => {
  const all = await commands()
  expect(all.length).toBeGreaterThan(12)
  for (const name of all) {
    const words = name.split(' ')
    const [help, wrong] = await Promise.all([
      run([...words, '--help']),
      run([...words, '--no-such-option']),
    ])
    expect(help.code, name).toBe(0)
    expect(help.stdout, name).toMatch(new RegExp(`Examples?:\n[^]*${name}`))
    expect(wrong.code, name).toBe(2)
    expect(wrong.stdout, name).toBe('')
    expect(wrong.stderr, name).toMatch(/^error: .*\n\(run with --help for examples\)/)
  }
}, 120_000)

test('the help of the program has every exit code', async () => {
  const { stdout } = await run(['--help'])
  for (const [code, meaning] of EXIT_MEANINGS)
    expect(stdout).toMatch(new RegExp(`^ {2}${code} +${meaning}$`, 'm'))
})

/** Commands without a result as a value, and why. */
const WITHOUT_JSON: Readonly<Record<string, string>> = {
  serve: 'it runs until it is stopped; its lines are a log, each one JSON',
  completion: 'its output is a script for a shell',
}

test('every command prints its result as JSON where that is asked for, or has none', async () => {
  const { stdout } = await run(['reference'])
  const sections = stdout.split(/^## millrace /m).slice(1)
  const without = sections.filter((section) => !section.includes('`--json`'))
  const names = without.map((section) => section.split('\n')[0])
  expect(names.sort()).toEqual(Object.keys(WITHOUT_JSON).sort())
})

test('a result is JSON where that is asked for, and nothing else is on standard output', async () => {
  const { code, stdout } = await run(['check', 'examples/simulated/job.yaml', '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ job: 'simulated', tasks: ['click', 'like', 'share'] })
})

describe('the exit code', () => {
  test('tells wrong arguments, wrong jobs and unreadable input apart, as the page says', async () => {
    const folder = temporaryFolder()
    writeFileSync(`${folder}/bad.yaml`, 'name: 7\n')
    writeFileSync(`${folder}/empty.ndjson`, 'no json\n')
    const code = async (...args: string[]): Promise<number | null> => (await run(args, folder)).code
    expect(await code('no-such-command')).toBe(2)
    expect(await code('run')).toBe(2)
    expect(await code('check', 'bad.yaml')).toBe(3)
    expect(await code('init', '--input', 'empty.ndjson')).toBe(4)
    expect(EXIT_MEANINGS.map(([number]) => number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 130])
  }, 60_000)
})

test('--no-color and NO_COLOR turn colours off, before and after the command', async () => {
  for (const args of [
    ['--no-color', 'check', 'examples/simulated/job.yaml'],
    ['check', 'examples/simulated/job.yaml', '--no-color'],
  ]) {
    const { code, stdout, stderr } = await run(args)
    expect(code, stderr).toBe(0)
    expect(stdout + stderr).not.toContain(ESCAPE)
  }
})

describe('completion', () => {
  async function script(shell: string): Promise<string> {
    const { code, stdout } = await run(['completion', shell])
    expect(code).toBe(0)
    return stdout
  }

  test('bash completes commands and the options of the command that is there', async () => {
    const complete = async (...words: string[]): Promise<string[]> => {
      const line = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}`
      const text = `${await script('bash')}\n${line}; _millrace; echo "\${COMPREPLY[@]}"`
      return execFileSync('bash', ['-c', text]).toString().trim().split(' ')
    }
    expect(await complete('millrace', 'im')).toEqual(['import'])
    expect(await complete('millrace', 'init', '--k')).toEqual(['--kind-field'])
    expect(await complete('millrace', 'run', 'job.yaml', '--ex')).toEqual(['--exit'])
  }, 30_000)

  test.each(['zsh', 'fish'])('%s takes the script', async (shell) => {
    const text = await script(shell)
    expect(text).toMatch(/init/)
    const there = spawnSync(shell, ['--version']).status === 0
    if (process.env.CI) expect(there, `${shell} must be there in CI`).toBe(true)
    if (!there) return
    const file = `${temporaryFolder()}/completion`
    writeFileSync(file, text)
    const checked = spawnSync(shell, ['-n', file])
    expect(checked.status, String(checked.stderr)).toBe(0)
  })

  test('an unknown shell is refused with the known ones', async () => {
    const { code, stderr } = await run(['completion', 'csh'])
    expect(code).toBe(2)
    expect(stderr).toContain('bash, zsh, fish')
  })
})

test('doctor with a job looks at what is on its bus, and says what must be mended', async () => {
  const folder = temporaryFolder()
  writeFileSync(`${folder}/job.yaml`, jobText(folder))
  const empty = await run(['doctor', `${folder}/job.yaml`])
  expect(empty.code).toBe(5)
  expect(empty.stdout).toMatch(/^bad +bus +no topic impressions/m)
  await run(['produce', `${folder}/job.yaml`, '--impressions', '2000'])
  const { code, stdout } = await run(['doctor', `${folder}/job.yaml`])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^good +schema of click +\d+ records, 0\.\d % cannot be read/m)
  expect(stdout).toMatch(/^good +match of click +(9\d\.\d|100\.0) % find an impression/m)
  expect(stdout).toMatch(/^good +duplicates +\d\.\d % of the ids come again/m)
  expect(stdout).toMatch(/^(good|warn) +ids of user/m)
  expect(stdout).toMatch(/^good +clocks/m)
}, 60_000)

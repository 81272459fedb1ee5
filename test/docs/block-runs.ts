/** @file Runs one block of a page by its language; what is wrong with it is an error that names page and line. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { parse, stringify } from 'yaml'
import { parseJob } from '../../src/settings/job.ts'
import { loadKuairand } from './kuairand-sample.ts'
import type { CodeBlock } from './markdown.ts'
import { jsonShape, shapeOf } from './output-shape.ts'
import { type Printed, runShell } from './package-copy.ts'
import { compileErrors, runTypeScript } from './typescript-block.ts'

/** Where the blocks of one page run, one after the other: files that one makes are there for the next. */
export interface PageRun {
  readonly folder: string
  /** What the last program of the page printed. */
  printed: Printed | undefined
}

/** Words that an info string may have after its language. */
const WORDS: Readonly<Record<string, RegExp>> = {
  sh: /^needs=\S+$/,
  ts: /^file=\S+$/,
  yaml: /^(fragment|other|file=\S+)$/,
  json: /^shape=\S+$/,
  text: /^(output|format)$/,
  mermaid: /^$/,
}

/** Runs or checks the block; returns why it was left out, if it was. */
export async function runBlock(run: PageRun, block: CodeBlock): Promise<string | undefined> {
  const { page, line, language, words } = block
  const known = WORDS[language]
  const unknown = words.filter((word) => known?.test(word) !== true)
  expect(
    known && unknown,
    `${page}:${line}: a block of kind "${language} ${words.join(' ')}"`,
  ).toEqual([])
  switch (language) {
    case 'sh':
      return runSh(run, block)
    case 'ts':
      return runTs(run, block)
    case 'yaml':
      return checkYaml(block)
    case 'json':
      return checkJson(run, block)
    case 'text':
      return checkText(run, block)
    default:
      expect(block.text, `${page}:${line}`).toMatch(
        /^(flowchart|sequenceDiagram|stateDiagram-v2)\b/,
      )
      return undefined
  }
}

async function runSh(run: PageRun, block: CodeBlock): Promise<string | undefined> {
  const needs = block.words[0]?.slice('needs='.length)
  if (needs !== undefined) return checkCommands(run, block, needs)
  const missing = block.text.includes('kuairand --') ? loadKuairand(run.folder) : undefined
  if (missing !== undefined) return missing
  const printed = await runShell(run.folder, block.text)
  expect(printed.code, `${place(block)}\n${printed.all}`).toBe(0)
  run.printed = printed
  return undefined
}

/** `needs=kafka`, `needs=network`: not run, but every script and command that it calls must exist. */
async function checkCommands(run: PageRun, block: CodeBlock, needs: string): Promise<string> {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object }
  for (const [, script] of block.text.matchAll(/npm run ([\w:-]+)/g)) {
    expect(Object.keys(scripts), `${place(block)}: npm run ${script}`).toContain(script)
  }
  for (const [, command] of block.text.matchAll(/millrace (?:-- )?([a-z]+)/g)) {
    const printed = await runShell(run.folder, `millrace ${command} --help`)
    expect(printed.stdout, `${place(block)}: millrace ${command}`).toContain(`millrace ${command}`)
  }
  return `it needs ${needs}`
}

async function runTs(run: PageRun, block: CodeBlock): Promise<undefined> {
  checkCopy(block)
  const name = `${block.page.replaceAll(/\W/g, '-')}-${block.line}`
  expect(compileErrors(run.folder, new Map([[name, block.text]])), place(block)).toEqual([])
  run.printed = await runTypeScript(run.folder, name, block.text)
  expect(run.printed.code, `${place(block)}\n${run.printed.all}`).toBe(0)
}

/** `file=PATH`: the block is that file, word for word. */
function checkCopy(block: CodeBlock): void {
  const file = block.words.find((word) => word.startsWith('file='))?.slice('file='.length)
  if (file === undefined) return
  expect(`${block.text}\n`, `${place(block)} is not ${file}`).toBe(readFileSync(file, 'utf8'))
}

/** A whole job, sections of one (put over the simulated example's), or YAML of another program. */
function checkYaml(block: CodeBlock): undefined {
  if (block.words.includes('other')) {
    expect(parse(block.text), place(block)).toBeTypeOf('object')
    return
  }
  checkCopy(block)
  const example = 'examples/simulated/job.yaml'
  const text = block.words.includes('fragment')
    ? stringify({ ...parse(readFileSync(example, 'utf8')), ...parse(block.text) })
    : block.text
  expect(parseJob(place(block), text).name).toBeTypeOf('string')
}

/** `shape=FILE`: the same keys and types as in a file that the page's commands wrote. */
function checkJson(run: PageRun, block: CodeBlock): undefined {
  const value: unknown = JSON.parse(block.text)
  const shape = block.words[0]?.slice('shape='.length)
  if (shape === undefined) return
  const written: unknown = JSON.parse(readFileSync(join(run.folder, shape), 'utf8'))
  expect(jsonShape(value), place(block)).toEqual(jsonShape(written))
}

/** `output`: lines of what the page's last program printed, in order. `format`: a layout, for people. */
function checkText(run: PageRun, block: CodeBlock): undefined {
  if (block.words.includes('format')) return
  expect(block.words, `${place(block)}: say what this text is`).toContain('output')
  expect(run.printed, `${place(block)}: no program ran before`).toBeDefined()
  const real = shapeOf(run.printed?.stdout ?? '')
  expect(real, place(block)).toEqual(shapeOf(block.text))
}

function place({ page, line }: CodeBlock): string {
  return `${page}:${line}`
}

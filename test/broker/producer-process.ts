/** @file Compiles `producer.ts` for plain Node and runs it as real processes, to be killed. */

import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import ts from 'typescript'

/** A producer under way. */
export interface Producer {
  readonly child: ChildProcessByStdio<null, Readable, null>
  /** What it printed, line by line; ends when it does. */
  readonly lines: AsyncIterable<string>
  /** Resolves with its exit code, or null when it was killed. */
  readonly ended: Promise<number | null>
}

/** Writes the compiled program into `directory` and returns the path to run. */
export function compileProducer(directory: string): string {
  const sources = [...sourcesIn('src', false), ...sourcesIn('src/broker', true)]
  for (const source of [...sources, 'test/broker/producer.ts']) {
    const { outputText } = ts.transpileModule(readFileSync(source, 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    })
    const target = join(directory, source.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, outputText)
  }
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  return join(directory, 'test/broker/producer.js')
}

function sourcesIn(directory: string, recursive: boolean): string[] {
  const names = readdirSync(directory, { recursive, encoding: 'utf8' })
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(directory, name))
}

/** Starts it; it goes on to number `until`, from wherever the topic ends. */
export function startProducer(
  program: string,
  to: { path: string; topic: string; fsync: string; until: number },
): Producer {
  const child = spawn(process.execPath, [program, to.path, to.topic, to.fsync, String(to.until)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, lines: createInterface(child.stdout), ended }
}

/** @file TypeScript of the documentation: checked as a user's compiler would, then run. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import ts from 'typescript'
import { type Printed, runShell } from './package-copy.ts'

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ['lib.es2023.d.ts'],
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  noEmit: true,
}

/** What the compiler says against each code, `name:line: message`; `millrace` is the built package of the copy. */
export function compileErrors(folder: string, codes: ReadonlyMap<string, string>): string[] {
  const files = [...codes].map(([name, code]) => {
    const file = fileOf(folder, name, 'mts')
    writeFileSync(file, code)
    return file
  })
  const program = ts.createProgram(files, OPTIONS, host)
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1
    const message = ts.flattenDiagnosticMessageText(messageText, ' ')
    return `${basename(file?.fileName ?? '')}:${line}: ${message}`
  })
}

/** Libraries' declarations are read once for all copies: behind the link they have one path. */
const host = cachingHost()

function cachingHost(): ts.CompilerHost {
  const plain = ts.createCompilerHost(OPTIONS)
  const files = new Map<string, ts.SourceFile | undefined>()
  return {
    ...plain,
    getSourceFile: (name, ...others) => {
      if (!files.has(name)) files.set(name, plain.getSourceFile(name, ...others))
      return files.get(name)
    },
  }
}

/** Runs the code with the copy as working directory. */
export function runTypeScript(folder: string, name: string, code: string): Promise<Printed> {
  const file = fileOf(folder, name, 'mjs')
  // The name decides: .mts is a module.
  const fileName = `${name}.mts`
  const { outputText } = ts.transpileModule(code, { compilerOptions: OPTIONS, fileName })
  writeFileSync(file, outputText)
  return runShell(folder, `node ${JSON.stringify(file)}`)
}

function fileOf(folder: string, name: string, extension: string): string {
  const blocks = join(folder, 'blocks')
  mkdirSync(blocks, { recursive: true })
  return join(blocks, `${name}.${extension}`)
}

/** @file YAML text as a value that remembers where each part stood, so that an error can name its line (door for yaml). */

import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  visit,
} from 'yaml'
import { MillraceError } from '../errors.ts'
import { describeSyntaxError } from './syntax-errors.ts'
import { brokenLimit } from './text-limits.ts'

/** Keys and list positions from the top of the file to a value. */
export type SettingPath = readonly PropertyKey[]

/** A parsed file. */
export interface YamlSource {
  /** As the user gave it, for messages. */
  readonly file: string
  readonly value: unknown
  /** Line (from 1) of the key or list entry; of the nearest enclosing one that exists when it is absent. */
  lineOf(path: SettingPath): number
}

/** Aliases in the whole file: enough for shared blocks, too few for a bomb. */
const MAX_ALIASES = 50

/** Parses one YAML 1.2 document; BAD_SETTINGS with file and line for syntax errors, repeated keys and bombs. */
export function parseYaml(file: string, text: string): YamlSource {
  const limit = brokenLimit(text)
  if (limit !== undefined) throw refusal(file, limit.line, limit.message)
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  })
  const lineAt = (offset: number): number => lines.linePos(offset).line
  const fault = document.errors[0] ?? aliasFault(document)
  if (fault !== undefined) {
    throw refusal(file, lineAt(fault.pos[0]), describeSyntaxError(fault.code))
  }
  return {
    file,
    value: document.toJS({ maxAliasCount: -1 }),
    lineOf: (path) => lineAt(offsetOf(document, path)),
  }
}

function refusal(file: string, line: number, message: string): MillraceError {
  return new MillraceError('BAD_SETTINGS', `${file}:${line}: ${message}`)
}

interface Fault {
  readonly code: string
  readonly pos: readonly [number, number]
}

/**
 * The first alias that refers to nothing, is one too many, or stands inside an anchored block: without aliases of aliases
 * nothing can refer to itself, and a file grows at most `MAX_ALIASES` times.
 */
function aliasFault(document: Document.Parsed<ParsedNode>): Fault | undefined {
  let count = 0
  let fault: Fault | undefined
  visit(document, {
    Alias: (_, alias, parents) => {
      count += 1
      const nested = parents.some((parent) => isCollection(parent) && parent.anchor !== undefined)
      const known = alias.resolve(document) !== undefined
      if (count <= MAX_ALIASES && !nested && known) return undefined
      const start = alias.range?.[0] ?? 0
      const code = nested ? 'NESTED_ALIAS' : known ? 'MANY_ALIASES' : 'BAD_ALIAS'
      fault = { code, pos: [start, start] }
      return visit.BREAK
    },
  })
  return fault
}

function offsetOf(document: Document.Parsed<ParsedNode>, path: SettingPath): number {
  let node: Node | null | undefined = document.contents
  let offset = node?.range?.[0] ?? 0
  for (const step of path) {
    const next = entryOf(isAlias(node) ? node.resolve(document) : node, step)
    if (next === undefined) return offset
    offset = next.offset ?? offset
    node = next.node
  }
  return offset
}

interface Entry {
  readonly offset: number | undefined
  readonly node: Node | null | undefined
}

function entryOf(parent: Node | null | undefined, step: PropertyKey): Entry | undefined {
  if (isMap<Node, Node | null>(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
    return pair && { offset: pair.key.range?.[0], node: pair.value }
  }
  if (isSeq<Node>(parent)) {
    const node = parent.items[Number(step)]
    return node && { offset: node.range?.[0], node }
  }
  return undefined
}

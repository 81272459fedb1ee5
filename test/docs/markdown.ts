/** @file What the documentation tests read of a Markdown page: code blocks, links, headings. */

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** A fenced block. The info string is a language, then words such as `output` or `file=examples/library/score.ts`. */
export interface CodeBlock {
  readonly page: string
  /** Line of the opening fence, from 1. */
  readonly line: number
  readonly language: string
  readonly words: readonly string[]
  readonly text: string
}

/** A link or an image that stands in the text. */
export interface Link {
  readonly page: string
  readonly line: number
  readonly target: string
}

const FENCE = /^\s*(`{3,}|~{3,})\s*(.*)$/

/** Every Markdown page that is kept in the repository or about to be. */
export function allPages(): string[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
    encoding: 'utf8',
  })
  return listed.split('\n').filter((page) => page !== '' && existsSync(page))
}

/** The blocks of a page in order; an unclosed fence is an error. */
export function codeBlocks(page: string, text = readFileSync(page, 'utf8')): CodeBlock[] {
  const blocks: CodeBlock[] = []
  let open: { line: number; fence: string; info: string; body: string[] } | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const fence = FENCE.exec(line)
    if (open === undefined) {
      if (fence === null) continue
      open = { line: index + 1, fence: fence[1] ?? '', info: fence[2] ?? '', body: [] }
    } else if (fence?.[1]?.startsWith(open.fence) && fence[2] === '') {
      const [language = '', ...words] = open.info.trim().split(/\s+/)
      blocks.push({ page, line: open.line, language, words, text: open.body.join('\n') })
      open = undefined
    } else open.body.push(line)
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: the block is not closed`)
  return blocks
}

/** The page's lines outside of code blocks; lines inside are empty, so that numbers stay. */
export function proseLines(page: string): string[] {
  const lines = readFileSync(page, 'utf8').split('\n')
  for (const { line, text } of codeBlocks(page)) {
    const length = text.split('\n').length + 2
    lines.fill('', line - 1, line - 1 + length)
  }
  return lines
}

/** Links and images, inline (`[a](b)`) and as HTML attributes. */
export function linksOf(page: string): Link[] {
  return proseLines(page).flatMap((text, index) => {
    const plain = text.replaceAll(/`[^`]*`/g, '')
    const inline = [...plain.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g)]
    const html = [...plain.matchAll(/\b(?:src|href|srcset)="([^"]+)"/g)]
    return [...inline, ...html].map((match) => ({ page, line: index + 1, target: match[1] ?? '' }))
  })
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>()
  for (const line of proseLines(page)) {
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1]
    if (heading === undefined) continue
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-')
    let anchor = slug
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`
    anchors.add(anchor)
  }
  return anchors
}

/** Files of the repository that the text names in backticks: `src/join/label-join.ts`. */
export function namedFiles(page: string): Link[] {
  return proseLines(page).flatMap((text, index) =>
    [
      ...text.matchAll(
        /`((?:\.dependency-cruiser|(?:src|test|topology|bin|docs|examples|schemas|scripts|bench|deploy|clients)\/)[\w./-]*)`/g,
      ),
    ].map((match) => ({ page, line: index + 1, target: match[1] ?? '' })),
  )
}

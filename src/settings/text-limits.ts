/** @file What no honest job file has, refused before the YAML parser sees it: tens of thousands of brackets make V8 abort the process. */

/** Characters. A job file is a page or two, and the parser compares every key of a mapping with every other. */
const LARGEST_FILE = 64 * 1024
/** Open brackets and braces, those in texts and comments included. */
const DEEPEST_FLOW = 100
/** Columns before the first word of a line, which bound how deep blocks can nest. */
const WIDEST_INDENT = 200

/** Where a text goes beyond a limit; line from 1. */
export interface BrokenLimit {
  readonly line: number
  readonly message: string
}

/** The first limit that the text breaks; linear in its length. */
export function brokenLimit(text: string): BrokenLimit | undefined {
  if (text.length > LARGEST_FILE) {
    return {
      line: 1,
      message: `the file has ${text.length} characters; a job file has at most ${LARGEST_FILE}`,
    }
  }
  let open = 0
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    let deepest = open
    for (const bracket of line.match(/[[\]{}]/g) ?? []) {
      open = Math.max(0, open + (bracket === '[' || bracket === '{' ? 1 : -1))
      deepest = Math.max(deepest, open)
    }
    const indent = /^[\s?:-]*/.exec(line)?.[0].length ?? 0
    if (deepest > DEEPEST_FLOW || indent > WIDEST_INDENT) {
      return { line: index + 1, message: 'the nesting is too deep' }
    }
  }
  return undefined
}

// The parts of a page that a program writes stand between two marks; the rest is written by people.

/** The page with the part of that name replaced; an error when it has no such part. */
export function withPart(page, name, content) {
  const { start, end } = marksOf(page, name)
  return `${page.slice(0, start)}\n${content}\n${page.slice(end)}`
}

/** What stands in the part now. */
export function partOf(page, name) {
  const { start, end } = marksOf(page, name)
  return page.slice(start + 1, end - 1)
}

function marksOf(page, name) {
  const first = `<!-- generated: ${name} -->`
  const at = page.indexOf(first)
  const end = page.indexOf('<!-- end -->', at)
  if (at < 0 || end < 0) throw new Error(`the page has no part ${first} ... <!-- end -->`)
  return { start: at + first.length, end }
}

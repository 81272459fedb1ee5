/** @file The documentation as a site: it builds without a warning, every link in it leads somewhere, and nothing comes from elsewhere. */

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../topology/temporary-job.ts'
import { allPages } from './markdown.ts'

const folder = temporaryFolder(afterAll)

interface Reference {
  readonly page: string
  readonly element: string
  readonly target: string
}

const contents = new Map<string, string>()

/** A page of the site; read once. */
function contentOf(page: string): string {
  const known = contents.get(page) ?? readFileSync(join(folder, page), 'utf8')
  contents.set(page, known)
  return known
}

/** What the elements of a page point at or load. */
function referencesOf(page: string): Reference[] {
  const attributes = /<(\w+)\b[^<>]*?\s(?:href|src)="([^"]*)"/g
  return [...contentOf(page).matchAll(attributes)].map(([, element = '', target = '']) => ({
    page,
    element,
    target: decodeURI(target),
  }))
}

const isElsewhere = ({ target }: Reference): boolean => /^[a-z]+:/i.test(target)

/** What is wrong with a reference within the site, or undefined. */
function fault({ page, target }: Reference): string | undefined {
  const [path = '', anchor] = target.split('#')
  // A web server answers for a folder with its index.
  const wanted = path.endsWith('/') ? `${path}index.html` : path
  const file = wanted === '' ? page : join(dirname(page), wanted)
  if (!existsSync(join(folder, file))) return `${page}: ${target} does not exist`
  if (anchor === undefined || anchor === '' || !file.endsWith('.html')) return undefined
  return contentOf(file).includes(`id="${anchor}"`)
    ? undefined
    : `${page}: no #${anchor} in ${file}`
}

describe('the site', () => {
  let pages: readonly string[] = []
  let references: readonly Reference[] = []

  beforeAll(() => {
    execFileSync(process.execPath, ['scripts/docs-site.mjs', folder], { stdio: 'pipe' })
    const files = readdirSync(folder, { recursive: true }).map(String)
    pages = files.filter((file) => file.endsWith('.html'))
    references = pages.flatMap(referencesOf)
  }, 240_000)

  test('has every page of docs/ and the two entries of the package', () => {
    const wanted = allPages().filter(
      (page) => page.startsWith('docs/') && page !== 'docs/README.md',
    )
    expect(pages).toEqual(
      expect.arrayContaining([
        'index.html',
        'README.html',
        ...wanted.map((page) => page.replace(/\.md$/, '.html')),
        'functions/millrace.learner.html',
        'modules/millrace_serve.html',
      ]),
    )
  })

  test('has no link that leads nowhere', () => {
    const within = references.filter((reference) => !isElsewhere(reference))
    expect(within.length).toBeGreaterThan(1_000)
    expect([...new Set(within.flatMap((reference) => fault(reference) ?? []))]).toEqual([])
  })

  test('loads nothing from elsewhere: only links lead there', () => {
    const loaded = references.filter(
      (reference) => isElsewhere(reference) && reference.element !== 'a',
    )
    expect(loaded).toEqual([])
    const styles = readFileSync(join(folder, 'assets/style.css'), 'utf8')
    expect(styles).not.toMatch(/@import|url\(\s*["']?(?:https?:)?\/\//)
  })
})

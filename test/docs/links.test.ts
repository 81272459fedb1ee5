/** @file Every relative link, anchor and named file of every Markdown page leads somewhere. */

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { allPages, anchorsOf, type Link, linksOf, namedFiles } from './markdown.ts'

/** What is wrong with a link, or undefined. */
function fault({ page, line, target }: Link): string | undefined {
  if (/^[a-z]+:/i.test(target)) return undefined
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? page : join(dirname(page), path)
  if (!existsSync(file)) return `${page}:${line}: ${target} does not exist`
  if (anchor === undefined || !file.endsWith('.md') || anchorsOf(file).has(anchor)) return undefined
  return `${page}:${line}: ${file} has no heading #${anchor}`
}

describe('the pages', () => {
  const pages = allPages()

  test('are there', () => {
    expect(pages).toContain('README.md')
    expect(pages.length).toBeGreaterThan(10)
  })

  test('have no link that leads nowhere', () => {
    const links = pages.flatMap(linksOf)
    expect(links.length).toBeGreaterThan(20)
    expect(links.flatMap((link) => fault(link) ?? [])).toEqual([])
  })

  test('name no file that does not exist', () => {
    const named = pages.flatMap(namedFiles)
    expect(named.length).toBeGreaterThan(50)
    const missing = named.filter(({ target }) => !existsSync(target))
    expect(missing.map(({ page, line, target }) => `${page}:${line}: ${target}`)).toEqual([])
  })
})

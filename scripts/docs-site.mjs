// npm run docs:site [-- FOLDER]: the pages that docs/README.md lists, and the public API from its docstrings, as a static site
// in site/ or in that folder.
// Any warning is a failure: a page that is not there, a link that leads nowhere, a public type that is not exported.

import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { Application, Converter, KindRouter, OptionDefaults } from 'typedoc'
import { INTERNAL_TYPES } from './internal-types.mjs'

const INDEX = 'docs/README.md'
const DECISIONS = 'docs/decisions/README.md'

/** The pages that a page links to, in order. */
function pagesIn(page, text = readFileSync(page, 'utf8')) {
  const links = [...text.matchAll(/\]\(([^)#:]+\.md)\)/g)]
  return links.map(([, target]) => join(dirname(page), target))
}

/** The sections of the index with their pages; what comes before the first is an introduction. */
function sectionsOf(index) {
  const [introduction, ...parts] = readFileSync(index, 'utf8').split(/^## /m)
  const sections = parts.map((part) => {
    const [title] = part.split('\n')
    return [title, pagesIn(index, part)]
  })
  return new Map([['Start', pagesIn(index, introduction)], ...sections])
}

const sections = sectionsOf(INDEX).set('Decisions', pagesIn(DECISIONS))
const groups = new Map(
  [...sections].flatMap(([group, pages]) => pages.map((page) => [page, group])),
)

/** A page is called by its first heading, and stands under the section that lists it. */
function placeDocument(document, path) {
  const [, title = document.name] = /^# (.*)/.exec(document.content[0].text) ?? []
  document.name = title
  document.frontmatter.group = groups.get(path)
}

/** Pages stand in the site as they stand in the repository. */
class PageRouter extends KindRouter {
  getIdealBaseName(reflection) {
    if (!reflection.isDocument()) return super.getIdealBaseName(reflection)
    return pathOf(reflection).replace(/\.md$/, '')
  }
}

const app = await Application.bootstrap({
  name: 'Millrace',
  entryPoints: ['src/index.ts', 'topology/serve-entry.ts'],
  tsconfig: 'tsconfig.build.json',
  // `npm run types` does that.
  skipErrorChecking: true,
  readme: INDEX,
  projectDocuments: [...groups.keys()],
  out: process.argv[2] ?? 'site',
  blockTags: [...OptionDefaults.blockTags, '@file'],
  excludeTags: [...OptionDefaults.excludeTags, '@file'],
  groupOrder: [...sections.keys(), '*'],
  navigation: { includeGroups: true },
  sort: ['source-order'],
  excludeExternals: true,
  excludePrivate: true,
  disableSources: true,
  hideGenerator: true,
  customCss: 'scripts/docs-site.css',
  includeHierarchySummary: false,
  includeVersion: true,
  searchInDocuments: true,
  intentionallyNotExported: INTERNAL_TYPES,
})
const pathOf = (document) => relative('.', app.files.getReflectionPath(document))
app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) =>
  placeDocument(document, pathOf(document)),
)
app.renderer.defineRouter('page', PageRouter)
app.options.setValue('router', 'page')
const project = await app.convert()
if (project !== undefined) {
  app.validate(project)
  await app.generateOutputs(project)
}
process.exitCode =
  project === undefined || app.logger.hasWarnings() || app.logger.hasErrors() ? 1 : 0

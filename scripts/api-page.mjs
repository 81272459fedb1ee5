// The names that a program may import, from the built declarations. docs/api.md shows them, and so pins them:
// test/docs/public-names.test.ts holds the package against it.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'

const KINDS = {
  [ts.SyntaxKind.ClassDeclaration]: 'class',
  [ts.SyntaxKind.FunctionDeclaration]: 'function',
  [ts.SyntaxKind.VariableStatement]: 'constant',
  [ts.SyntaxKind.InterfaceDeclaration]: 'interface',
  [ts.SyntaxKind.TypeAliasDeclaration]: 'type',
}

/** Tables of every entry of the package: values with their signatures, then types. */
export function apiTables() {
  const { name, exports } = JSON.parse(readFileSync('package.json', 'utf8'))
  return Object.entries(exports)
    .map(([path, { types }]) => section(path.replace('.', name), namesOf(types)))
    .join('\n\n')
}

/** What an entry exports: each name is declared in the file that it comes from. */
function namesOf(entry) {
  return parse(entry)
    .statements.filter(ts.isExportDeclaration)
    .flatMap(({ moduleSpecifier, exportClause, isTypeOnly }) => {
      const file = join(dirname(entry), moduleSpecifier.text.replace(/\.[jt]s$/, '.d.ts'))
      const declared = declarationsOf(file)
      return exportClause.elements.map((element) => ({
        name: element.name.text,
        isType: isTypeOnly || element.isTypeOnly,
        ...declared.get(element.name.text),
      }))
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function declarationsOf(file) {
  const source = parse(file)
  const found = new Map()
  for (const node of source.statements.filter(({ kind }) => kind in KINDS)) {
    const { name } = node.declarationList?.declarations[0] ?? node
    const kind = KINDS[node.kind]
    const signature = kind === 'function' ? signatureOf(node) : ''
    found.set(name.text, { kind, signature, meaning: meaningOf(node) })
  }
  return found
}

function parse(file) {
  return ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
}

/** `(job: Job | string): Promise<Learner>`, on one line. */
function signatureOf({ parameters, type }) {
  const text = `(${parameters.map((one) => one.getText()).join(', ')}): ${type.getText()}`
  return text.replaceAll(/\s+/g, ' ')
}

/** The first sentence of a docstring. */
function meaningOf(node) {
  const comment = ts.getTextOfJSDocComment(node.jsDoc?.at(-1)?.comment) ?? ''
  const text = comment.replaceAll(/\s+/g, ' ').trim()
  return text.replace(/\.(\s.*)?$/, '')
}

function section(entry, names) {
  const tables = [
    ['value', names.filter(({ isType }) => !isType)],
    ['type', names.filter(({ isType }) => isType)],
  ]
  return [`## ${entry}`, ...tables.map(([title, some]) => table(title, some))].join('\n\n')
}

function table(title, names) {
  const rows = names.map(({ name, kind, signature, meaning }) => {
    const cells = [`\`${name}${signature}\``, kind, meaning]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  return [`| ${title} | kind | meaning |`, '|---|---|---|', ...rows].join('\n')
}

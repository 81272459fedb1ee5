/** @file The few things the page does to its document. Text only, never markup: names come from job files and events. */

/** The element with this id; the markup has it. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no element ${id}`)
  return found
}

/** A new element with text or children. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  content: string | readonly Node[] = '',
  className = '',
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  if (typeof content === 'string') made.textContent = content
  else made.append(...content)
  if (className !== '') made.className = className
  return made
}

/** Sets text only when it differs, so that a screen reader is not told the same again. */
export function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text
}

/** A table's content: column titles, then rows of cells; the first cell of a row is its header. */
export function fillTable(
  table: HTMLElement,
  titles: readonly string[],
  rows: readonly (readonly (string | Node)[])[],
): void {
  const head = element('thead', [
    element(
      'tr',
      titles.map((title) => {
        const cell = element('th', title)
        cell.scope = 'col'
        return cell
      }),
    ),
  ])
  const body = element(
    'tbody',
    rows.map((row) => element('tr', row.map(cellOf))),
  )
  table.replaceChildren(head, body)
}

function cellOf(content: string | Node, column: number): HTMLTableCellElement {
  if (content instanceof HTMLTableCellElement) return content
  const cell = element(column === 0 ? 'th' : 'td')
  if (column === 0) cell.scope = 'row'
  cell.append(content)
  return cell
}

// The folder table of .dependency-cruiser.mjs as a picture, docs/images/folders.svg: columns by the longest way from a folder that reads none.

const COLUMN = 132
const ROW = 52
const BOX = { width: 104, height: 34 }
const EDGE = 12

/** From a folder to each folder that reads it: with the data. Arrows that follow from others are left out. */
export function importArrows(reads) {
  return Object.entries(reads).flatMap(([folder, below]) =>
    below
      .filter((name) => !below.some((other) => reaches(reads, other, name)))
      .map((name) => [name, folder]),
  )
}

/** The picture, in the colours of docs/images/data-path.svg. */
export function importPicture(reads) {
  const places = placesOf(reads)
  const columns = Math.max(...[...places.values()].map(({ column }) => column)) + 1
  const rows = Math.max(...[...places.values()].map(({ row }) => row)) + 1
  const width = (columns - 1) * COLUMN + BOX.width + 2 * EDGE
  const height = (rows - 1) * ROW + BOX.height + 2 * EDGE
  const arrows = importArrows(reads)
  const words = arrows.map(([from, to]) => `${from} to ${to}`).join(', ')
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="t d">`,
    '<title id="t">Which folder reads which</title>',
    `<desc id="d">Arrows go with the data: ${words}.</desc>`,
    '<style>',
    '  text { font: 13px system-ui, sans-serif; fill: #1f2328; text-anchor: middle }',
    '  rect { fill: #f6f8fa; stroke: #59636e; rx: 6 }',
    '  path { fill: none; stroke: #59636e; stroke-width: 1.4; marker-end: url(#a) }',
    '  marker path { fill: #59636e; stroke: none }',
    '  @media (prefers-color-scheme: dark) {',
    '    text { fill: #f0f6fc }',
    '    rect { fill: #151b23; stroke: #9198a1 }',
    '    path { stroke: #9198a1 }',
    '    marker path { fill: #9198a1 }',
    '  }',
    '</style>',
    '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>',
    ...arrows.map(([from, to]) => arrow(places.get(from), places.get(to))),
    ...[...places].map(([folder, place]) => box(folder, place)),
    '</svg>',
    '',
  ].join('\n')
}

/** Column: the longest way to it, or right before its first reader where it reads none. Row: the first that is free from what it reads on. */
function placesOf(reads) {
  const arrows = importArrows(reads)
  const way = (folder) => Math.max(0, ...reads[folder].map((name) => way(name) + 1))
  const columnOf = (folder) => {
    const readers = arrows.flatMap(([from, to]) => (from === folder ? [way(to) - 1] : []))
    return reads[folder].length > 0 || readers.length === 0 ? way(folder) : Math.min(...readers)
  }
  const taken = new Map()
  const places = new Map()
  const readsNone = (folder) => Number(reads[folder].length === 0)
  const inOrder = Object.keys(reads).sort(
    (a, b) => columnOf(a) - columnOf(b) || readsNone(a) - readsNone(b),
  )
  for (const folder of inOrder) {
    const column = columnOf(folder)
    const rows = taken.get(column) ?? new Set()
    taken.set(column, rows)
    const before = arrows.filter(([, to]) => to === folder).map(([from]) => places.get(from).row)
    let row = before.length === 0 ? 0 : Math.min(...before)
    while (rows.has(row)) row += 1
    rows.add(row)
    places.set(folder, { column, row })
  }
  return places
}

const leftOf = ({ column }) => EDGE + column * COLUMN
const middleOf = ({ row }) => EDGE + row * ROW + BOX.height / 2

function box(folder, place) {
  const x = leftOf(place)
  const y = middleOf(place)
  return `<rect x="${x}" y="${y - BOX.height / 2}" width="${BOX.width}" height="${BOX.height}"/><text x="${x + BOX.width / 2}" y="${y + 5}">${folder}</text>`
}

function arrow(from, to) {
  const [x, y] = [leftOf(from) + BOX.width, middleOf(from)]
  const [endX, endY] = [leftOf(to) - 2, middleOf(to)]
  // Into the box from the side, and behind whatever stands between.
  const bend = endX - (COLUMN - BOX.width) / 2
  return `<path d="M${x} ${y}H${bend - 10}C${bend} ${y} ${bend - 10} ${endY} ${endX} ${endY}"/>`
}

function reaches(reads, from, to) {
  return from !== to && reads[from].some((name) => name === to || reaches(reads, name, to))
}

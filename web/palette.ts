/** @file Colours of series, told apart without colour by their dashes; values come from the style sheet, so they follow the scheme. */

/** Stroke and dash of series number `index`. */
export interface Ink {
  readonly stroke: string
  readonly dash: number[]
}

const COLOURS = 6
const DASHES: readonly number[][] = [[], [6, 3], [2, 2], [8, 3, 2, 3]]

/** Colours repeat after six, with another dash. */
export function inkOf(index: number): Ink {
  return {
    stroke: cssColour(`--series-${index % COLOURS}`),
    dash: [...(DASHES[Math.floor(index / COLOURS) % DASHES.length] ?? [])],
  }
}

/** The colour of series number `index`, dotted: the same thing, seen otherwise. */
export function inkBeside(index: number): Ink {
  return { ...inkOf(index), dash: [1, 3] }
}

/** The value of a custom property as a colour that a canvas takes. */
export function cssColour(name: string): string {
  const probe = document.createElement('i')
  probe.style.color = `var(${name})`
  probe.hidden = true
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

/** @file Compares printed output by shape: the words and the columns count, the figures do not. */

/** The lines of an output with every figure, hash and width of a table taken out. */
export function shapeOf(output: string): string[] {
  return output
    .split('\n')
    .map(lineShape)
    .filter((line) => line !== '')
}

function lineShape(line: string): string {
  // Which engine a machine has, and why, is no part of the shape.
  if (/^engine\s/.test(line)) return 'engine'
  return line
    .replaceAll(/[0-9a-f]{64}/g, '#')
    .replaceAll(/-?\d[\d.,]*(?:e-?\d+)?/g, '#')
    .replaceAll(/─+/g, '─')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

/** The shape of a JSON value: every leaf as the name of its type, keys as they are. */
export function jsonShape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(jsonShape)
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, jsonShape(part)]))
}

/** @file What zod found wrong, in the words of someone who edits the file. */

import type { z } from 'zod'
import { nearestName } from './nearest-name.ts'

type Issue = z.core.$ZodIssue

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping (key: value lines)',
  record: 'a mapping (key: value lines)',
  array: 'a list',
  tuple: 'a list',
}

/** The requirement that the value misses, as the end of a sentence: `must be at least 1`. */
export function requirementOf(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPE_NAMES[issue.expected] ?? issue.expected}`
    case 'too_small':
      return bound(issue.origin, issue.inclusive ?? true, issue.minimum, 'at least', 'above')
    case 'too_big':
      return bound(issue.origin, issue.inclusive ?? true, issue.maximum, 'at most', 'below')
    case 'invalid_value':
      return oneOf(issue.values.map(String), value)
    case 'invalid_union':
      return unionRequirement(issue, value)
    case 'invalid_format':
      // zod's own text starts with "Invalid"; what a schema says instead is better than a pattern.
      return issue.message.startsWith('Invalid')
        ? `must match ${issue.pattern ?? issue.format}`
        : `must be ${issue.message}`
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.map((inner) => requirementOf(inner, value)).join(' and ')
    default:
      return issue.message
  }
}

function bound(
  origin: string,
  inclusive: boolean,
  limit: number | bigint,
  including: string,
  excluding: string,
): string {
  const size = `${inclusive ? including : excluding} ${limit}`
  if (origin === 'string')
    return size === 'at least 1' ? 'must not be empty' : `must have ${size} characters`
  if (origin === 'array' || origin === 'object') return `must have ${size} entries`
  return `must be ${size}`
}

function unionRequirement(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  value: unknown,
): string {
  if ('options' in issue && Array.isArray(issue.options)) {
    return oneOf(issue.options.map(String), value)
  }
  const requirements = issue.errors.flatMap((branch) =>
    branch.slice(0, 1).map((inner) => requirementOf(inner, value).replace(/^must be /, '')),
  )
  return `must be ${[...new Set(requirements)].join(' or ')}`
}

function oneOf(names: readonly string[], value: unknown): string {
  const near = typeof value === 'string' ? nearestName(value, names) : undefined
  const guess = near === undefined ? '' : ` (did you mean ${near}?)`
  return names.length === 1 ? `must be ${names[0]}` : `must be one of ${names.join(', ')}${guess}`
}

/** @file A parsed file against its schema: typed settings, or every problem with file, line, value and remedy. */

import type { z } from 'zod'
import { MillraceError } from '../errors.ts'
import { nearestName } from './nearest-name.ts'
import { describeProblem, nameOf, namesSecret, type Problem, showValue } from './problem.ts'
import { requirementOf } from './requirement.ts'
import {
  descriptionOf,
  exampleOf,
  fieldOf,
  isSecret,
  knownKeys,
  schemasAt,
} from './schema-lookup.ts'
import type { SettingPath, YamlSource } from './yaml-source.ts'

type Issue = z.core.$ZodIssue

/** The settings with defaults filled in; BAD_SETTINGS whose message has one line per problem, in file order. */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  source: YamlSource,
): z.output<Schema> {
  const parsed = schema.safeParse(source.value)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues
    .flatMap((issue) => flatten(issue, source.value))
    .flatMap((issue) => problemsOf(issue, schema, source))
    .sort((a, b) => a.line - b.line)
  throw new MillraceError('BAD_SETTINGS', problems.map(describeProblem).join('\n'))
}

/** Opens unions: a problem inside the option that the value meant is reported there, not as "fits no option". */
function flatten(issue: Issue, root: unknown): Issue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue]
  const meant = issue.errors
    .filter((branch) => !branch.some((inner) => inner.path.length === 0 && isTypeMismatch(inner)))
    .sort((a, b) => a.length - b.length)
  const [best] = meant
  if (best === undefined) return [issue]
  return best.flatMap((inner) => flatten({ ...inner, path: [...issue.path, ...inner.path] }, root))
}

function isTypeMismatch(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_value'
}

function problemsOf(issue: Issue, schema: z.ZodType, source: YamlSource): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey([...issue.path, key], schema, source))
  }
  const value = issue.path.reduce(fieldOf, source.value)
  const schemas = schemasAt(schema, issue.path, source.value)
  const hidden = namesSecret(issue.path) || isSecret(schemas)
  const found = hidden && value !== undefined ? '(hidden)' : showValue(value)
  const requirement = requirementOf(issue, hidden ? undefined : value)
  // A rule of a whole section has no single wrong value to show.
  const isRule = issue.code === 'custom' && typeof value === 'object'
  const message = isRule ? `: ${requirement}` : ` is ${found}: ${requirement}`
  const hint = issue.code === 'custom' ? '' : hintFor(issue.path, schemas)
  return [problem(issue.path, message + hint, source)]
}

function unknownKey(path: SettingPath, schema: z.ZodType, source: YamlSource): Problem {
  const parent = path.slice(0, -1)
  const value = parent.reduce(fieldOf, source.value)
  const known = knownKeys(schemasAt(schema, parent, source.value), value)
  const near = nearestName(String(path.at(-1)), known)
  const remedy = near === undefined ? `known here: ${known.join(', ')}` : `did you mean ${near}?`
  return problem(path, ` is not a setting: ${remedy}`, source)
}

function hintFor(path: SettingPath, schemas: ReturnType<typeof schemasAt>): string {
  const key = path.at(-1)
  const example = exampleOf(schemas)
  if (example !== undefined && typeof key === 'string') {
    return ` (e.g. ${key}: ${typeof example === 'string' ? example : JSON.stringify(example)})`
  }
  const description = descriptionOf(schemas)
  return description === undefined ? '' : ` (${description})`
}

function problem(path: SettingPath, message: string, source: YamlSource): Problem {
  return { file: source.file, line: source.lineOf(path), setting: nameOf(path), message }
}

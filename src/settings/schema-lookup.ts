/** @file What the schema says about one place of the file: known keys, defaults, examples, whether it is a secret. */

import { z } from 'zod'
import type { SettingPath } from './yaml-source.ts'

/** A zod schema of any kind, as zod's own introspection hands it out. */
type AnySchema = z.core.$ZodType

/** Schemas that can apply at `path`; several where a union leaves it open, none where the path leaves the schema. */
export function schemasAt(schema: AnySchema, path: SettingPath, value: unknown): AnySchema[] {
  let current: Place[] = [{ schema, value }]
  for (const step of path) {
    current = current.flatMap(alternatives).flatMap((place) => childOf(place, step))
  }
  return current.map((place) => place.schema)
}

/** Keys that the mapping at these schemas may have. */
export function knownKeys(schemas: readonly AnySchema[], value: unknown): string[] {
  const keys = schemas
    .flatMap((schema) => alternatives({ schema, value }))
    .flatMap(({ schema }) => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : []))
  return [...new Set(keys)]
}

/** An example value from the schema's metadata, or its default; `undefined` when there is none that fits on a line. */
export function exampleOf(schemas: readonly AnySchema[]): unknown {
  const layers = schemas.flatMap(layersOf)
  for (const layer of layers) {
    const examples = metadataOf(layer)?.examples
    if (Array.isArray(examples) && examples.length > 0) return examples[0]
  }
  for (const layer of layers) {
    const usual = layer instanceof z.ZodDefault ? layer.def.defaultValue : undefined
    if (usual !== undefined && typeof usual !== 'object') return usual
  }
  return undefined
}

/** What the part that declares the setting says about it (`.describe()`). */
export function descriptionOf(schemas: readonly AnySchema[]): string | undefined {
  for (const layer of schemas.flatMap(layersOf)) {
    const description = metadataOf(layer)?.description
    if (typeof description === 'string') return description
  }
  return undefined
}

/** True when any of the schemas is marked with `.meta({ secret: true })`. */
export function isSecret(schemas: readonly AnySchema[]): boolean {
  return schemas.flatMap(layersOf).some((layer) => metadataOf(layer)?.secret === true)
}

/** A schema and everything that it wraps, outermost first. */
function layersOf(schema: AnySchema): AnySchema[] {
  const below = inner(schema)
  return below === undefined ? [schema] : [schema, ...layersOf(below)]
}

/** A schema together with the value it would judge, which decides between the options of a union. */
interface Place {
  readonly schema: AnySchema
  readonly value: unknown
}

function metadataOf(schema: AnySchema): Record<string, unknown> | undefined {
  return z.globalRegistry.get(schema)
}

/** The schema below a wrapper such as a default, `undefined` when it is no wrapper. */
function inner(schema: AnySchema): AnySchema | undefined {
  const wraps =
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodCatch
  if (wraps) return schema.def.innerType
  return schema instanceof z.ZodPipe ? schema.def.in : undefined
}

/** Unwraps wrappers and unions; of a union by `kind` only the option that the value names. */
function alternatives({ schema, value }: Place): Place[] {
  const below = inner(schema)
  if (below !== undefined) return alternatives({ schema: below, value })
  if (!(schema instanceof z.ZodUnion)) return [{ schema, value }]
  const options = schema.def.options.flatMap((option) => alternatives({ schema: option, value }))
  const named = options.filter((option) => namesItself(option))
  return named.length > 0 ? named : options
}

/** True for an object schema one of whose literal fields equals the value's field. */
function namesItself({ schema, value }: Place): boolean {
  if (!(schema instanceof z.ZodObject) || typeof value !== 'object' || value === null) return false
  return Object.entries(schema.shape).some(([key, field]) => {
    if (!(field instanceof z.ZodLiteral)) return false
    const names: readonly unknown[] = field.def.values
    return names.includes(fieldOf(value, key))
  })
}

function childOf({ schema, value }: Place, step: PropertyKey): Place[] {
  const child = fieldOf(value, step)
  if (schema instanceof z.ZodObject) {
    const shape: Readonly<Record<PropertyKey, AnySchema | undefined>> = schema.shape
    const field = Object.hasOwn(shape, step) ? shape[step] : undefined
    return field === undefined ? [] : [{ schema: field, value: child }]
  }
  if (schema instanceof z.ZodRecord) return [{ schema: schema.def.valueType, value: child }]
  if (schema instanceof z.ZodArray) return [{ schema: schema.def.element, value: child }]
  if (schema instanceof z.ZodTuple) {
    const item = schema.def.items[Number(step)]
    return item === undefined ? [] : [{ schema: item, value: child }]
  }
  return []
}

/** A field or list entry of a value read from a file; own properties only. */
export function fieldOf(value: unknown, step: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
  return Reflect.get(value, step)
}

/** @file Job files write names in snake_case, options beside algorithms are in camelCase: the bridge between them, for whole objects. */

import { z } from 'zod'

type AnySchema = z.core.$ZodType
type Fields = Readonly<Record<string, unknown>>

/** The same strict schema with its keys, nested objects' keys included, in snake_case; what comes out has the keys of `object`. */
export function snakeCaseKeys(object: z.ZodObject) {
  const { shape, restore } = renamed(object)
  return z.strictObject(shape).transform(restore)
}

/** The same for one of several objects that are told apart by their `kind`. */
export function snakeCaseKind(kind: string, object: z.ZodObject) {
  const { shape, restore } = renamed(object)
  return z
    .strictObject({ ...shape, kind: z.literal(kind) })
    .transform((given) => ({ ...restore(given), kind }))
}

function renamed(object: z.ZodObject) {
  const names = new Map(Object.keys(object.shape).map((key) => [snakeCase(key), key]))
  const shape: Record<string, AnySchema> = {}
  for (const [snake, name] of names) {
    const field: AnySchema | undefined = object.shape[name]
    if (field !== undefined) shape[snake] = nested(field)
  }
  const restore = (given: Fields): Fields =>
    Object.fromEntries(
      Object.entries(given).map(([snake, value]) => [names.get(snake) ?? snake, value]),
    )
  return { shape, restore }
}

/** Objects inside, where they are optional, are renamed too; every other field stays as it is. */
function nested(field: AnySchema): AnySchema {
  if (field instanceof z.ZodObject) return snakeCaseKeys(field)
  if (!(field instanceof z.ZodOptional)) return field
  const below = field.def.innerType
  return below instanceof z.ZodObject ? snakeCaseKeys(below).optional() : field
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** @file Chooses this project's types in place of avsc's while a schema is compiled. */

import type { Type } from 'avsc'
import { BoundedArray, BoundedMap, ByteArray } from './bounded-types.ts'
import { ExactInt, ExactLong, PromotedDouble, PromotedFloat } from './exact-numbers.ts'
import { NaturalUnion } from './natural-union.ts'

/** avsc's `typeHook`: a type for the schemas that need another one, undefined for all others. */
export function safeType(schema: unknown, options: unknown): Type | undefined {
  if (Array.isArray(schema)) return new NaturalUnion(schema, options)
  const kind =
    typeof schema === 'object' && schema !== null && 'type' in schema ? schema.type : schema
  switch (kind) {
    case 'array':
      return new BoundedArray(narrow(schema), options)
    case 'map':
      return new BoundedMap(narrow(schema), options)
    case 'int':
      return new ExactInt()
    case 'long':
      return new ExactLong()
    case 'float':
      return new PromotedFloat()
    case 'double':
      return new PromotedDouble()
    case 'bytes':
      return new ByteArray()
    default:
      return undefined
  }
}

/** avsc checks what it is given; only its declaration is narrow. */
function narrow(schema: unknown): ConstructorParameters<typeof BoundedArray>[0] {
  return schema as ConstructorParameters<typeof BoundedArray>[0]
}

// The settings of a job as Markdown tables, from the JSON Schema of the job file. docs/job-file.md shows them;
// test/docs/generated.test.ts checks that it shows what the schema says.

/** One row of a table: where the setting stands, and its schema. */
function rowsOf(properties, required, prefix = '') {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = `${prefix}${name}`
    const row = { path, schema, required: required.includes(name) }
    return [row, ...nestedRows(path, schema)]
  })
}

function nestedRows(path, schema) {
  if (schema.properties !== undefined) {
    return rowsOf(schema.properties, schema.required ?? [], `${path}.`)
  }
  if (schema.items?.properties !== undefined) {
    return rowsOf(schema.items.properties, schema.items.required ?? [], `${path}[].`)
  }
  const variants = kindsOf(schema)
  return variants.flatMap((variant) =>
    rowsOf(own(variant), variant.required ?? [], `${path} (${kindName(variant)}).`),
  )
}

/** The variants of a section that is told apart by `kind`; none for any other schema. */
function kindsOf(schema) {
  const variants = schema.oneOf ?? schema.anyOf ?? []
  return variants.every((variant) => variant.properties?.kind !== undefined) ? variants : []
}

function kindName({ properties: { kind } }) {
  return kind.const ?? kind.enum.join(', ')
}

function own({ properties }) {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => name !== 'kind'))
}

function typeName(schema) {
  if (schema.const !== undefined) return `\`${schema.const}\``
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ')
  if (schema.prefixItems !== undefined) return `list of ${schema.prefixItems.length} texts`
  if (schema.type === 'array') return `list of ${plural(typeName(schema.items))}`
  const variants = schema.oneOf ?? schema.anyOf
  if (variants !== undefined) {
    if (kindsOf(schema).length > 0) return `by \`kind\`: ${variants.map(kindName).join(', ')}`
    return [...new Set(variants.map(typeName))].join(' or ')
  }
  const range = rangeOf(schema)
  switch (schema.type) {
    case 'integer':
      return `whole number${range}`
    case 'number':
      return `number${range}`
    case 'boolean':
      return 'true or false'
    case 'object':
      return schema.properties === undefined ? 'mapping' : 'section'
    default:
      return 'text'
  }
}

function plural(name) {
  if (name.startsWith('by ')) return 'sections'
  return name.replace(/^(text|number|whole number|section)/, '$1s')
}

function rangeOf({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }) {
  const low =
    minimum !== undefined
      ? `from ${minimum}`
      : exclusiveMinimum !== undefined
        ? `above ${exclusiveMinimum}`
        : ''
  const capped = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER
  const high = capped
    ? `to ${maximum}`
    : exclusiveMaximum !== undefined
      ? `below ${exclusiveMaximum}`
      : ''
  const range = [low, high].filter((part) => part !== '').join(' ')
  return range === '' ? '' : `, ${range}`
}

function defaultOf({ schema, required }) {
  if (schema.default !== undefined) {
    const empty = typeof schema.default === 'object' && Object.keys(schema.default).length === 0
    return empty ? 'empty' : `\`${yamlOf(schema.default)}\``
  }
  return required ? '**required**' : '-'
}

function yamlOf(value) {
  if (Array.isArray(value)) return `[${value.map(yamlOf).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  return `{ ${Object.entries(value)
    .map(([key, part]) => `${key}: ${yamlOf(part)}`)
    .join(', ')} }`
}

function table(rows) {
  const lines = rows.map((row) => {
    const meaning = (row.schema.description ?? '').replaceAll('|', '\\|')
    return `| \`${row.path}\` | ${typeName(row.schema)} | ${defaultOf(row)} | ${meaning} |`
  })
  return ['| setting | type | default | meaning |', '|---|---|---|---|', ...lines].join('\n')
}

/** Settings that every kind has, alike: shown once. */
function sharedNames(variants) {
  const [first, ...others] = variants.map(own)
  return Object.keys(first).filter((name) =>
    others.every((other) => JSON.stringify(other[name]) === JSON.stringify(first[name])),
  )
}

function variantTables(variants) {
  const shared = variants.length > 1 ? sharedNames(variants) : []
  const [first] = variants
  const parts = [
    `\`kind\` is one of ${variants.map((variant) => `\`${kindName(variant)}\``).join(', ')}.`,
  ]
  if (shared.length > 0) {
    const common = Object.fromEntries(shared.map((name) => [name, own(first)[name]]))
    parts.push('Every kind has:', table(rowsOf(common, first.required ?? [])))
  }
  for (const variant of variants) {
    const rest = Object.entries(own(variant)).filter(([name]) => !shared.includes(name))
    if (rest.length === 0) continue
    parts.push(
      `\`kind: ${kindName(variant)}\``,
      table(rowsOf(Object.fromEntries(rest), variant.required ?? [])),
    )
  }
  return parts
}

function section(name, schema) {
  const list = schema.type === 'array' ? kindsOf(schema.items) : []
  const variants = list.length > 0 ? list : kindsOf(schema)
  const parts = [`### ${name}`]
  if (schema.description !== undefined) parts.push(`${schema.description}.`.replace('..', '.'))
  if (list.length > 0) parts.push('A list; each entry has a `kind`.')
  if (variants.length > 0) parts.push(...variantTables(variants))
  else if (schema.properties !== undefined)
    parts.push(table(rowsOf(schema.properties, schema.required ?? [])))
  else parts.push(table([{ path: name, schema, required: true }]))
  return parts.join('\n\n')
}

/** All sections, in the order of the file. */
export function jobFileTables(jsonSchema) {
  return Object.entries(jsonSchema.properties)
    .map(([name, schema]) => section(name, schema))
    .join('\n\n')
}

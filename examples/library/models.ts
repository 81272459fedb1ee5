// Every kind of model with its default widths: how many dense weights it has, and how wide the row of an id is.
import { buildModel, compileFeatures, MODELS } from 'millrace'

const spec = compileFeatures([
  { name: 'user', kind: 'id' },
  { name: 'item', kind: 'id' },
  { name: 'price', kind: 'number', log: true, standardise: true, clip: 5 },
])
for (const { kind, options } of MODELS) {
  const model = buildModel(options.parse({ kind }), {
    tasks: ['click', 'purchase'],
    fields: spec.slots.length,
    dense: spec.denseWidth,
  })
  const weights = model.parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
  console.log(kind, weights, 'dense weights,', model.columnsPerField, 'columns per id')
}

import { describe, expect, test } from 'vitest'
import { buildModel } from '../../src/model/build-model.ts'
import { modelOptions } from '../../src/model/options.ts'
import { goldenFolder } from '../golden-folder.ts'
import { type GoldenModel, goldenModel, readGoldenModels } from './golden-model.ts'

const features = { tasks: ['click', 'like', 'share'], fields: 4, dense: 0 }

describe('the model section', () => {
  test('needs a kind and nothing else', () => {
    const model = buildModel(modelOptions.parse({ kind: 'mmoe' }), features)
    expect(model.kind).toBe('mmoe')
    expect(model.columnsPerField).toBe(8)
  })

  test.each([
    { kind: 'transformer' },
    { kind: 'mmoe', expert: 3 },
    { kind: 'mmoe', experts: 0 },
    { kind: 'stem', gate_input: 'shared' },
    { kind: 'mmoe', dml: { ctmf: true } },
  ])('refuses $kind with an unknown or impossible field', (section) => {
    expect(modelOptions.safeParse(section).success).toBe(false)
  })

  test('refuses esmm for other than two tasks, and says what to use', () => {
    expect(() => buildModel(modelOptions.parse({ kind: 'esmm' }), features)).toThrow(
      expect.objectContaining({
        code: 'BAD_SETTINGS',
        remedy: expect.stringContaining('conditional'),
      }),
    )
  })
})

describe('a golden file', () => {
  const [first] = readGoldenModels(goldenFolder('models', 'test/golden')).values()
  const file = first as GoldenModel

  test('of an unknown algorithm is an error', () => {
    expect(() => goldenModel({ ...file, algorithm: 'mssm' })).toThrow(/unknown algorithm: mssm/)
    expect(() => goldenModel({ ...file, algorithm: 'dml-mssm' })).toThrow(/unknown algorithm/)
  })

  test('with an unknown setting is an error', () => {
    expect(() => goldenModel({ ...file, config: { ...file.config, batchNorm: true } })).toThrow(
      /batch_norm/,
    )
  })

  test('that is not there is an error', () => {
    expect(() => goldenFolder('models', 'test/model')).toThrow()
  })
})

/** @file Every golden file of a balancer, in GOLDEN_DIR or test/golden: `npm run test:golden`. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { GoldenCase } from './balance/golden-case.ts'
import { GOLDEN_CHECKS } from './balance/golden-checks.ts'
import { goldenFolder } from './golden-folder.ts'

const { path: folder, names, strange } = goldenFolder('balancers')

describe(`golden balancers in ${folder}`, () => {
  const checked = new Map<string, number>()

  it('holds nothing but golden files', () => {
    expect(strange).toEqual([])
  })

  it.each(names)('%s', (name) => {
    const file = JSON.parse(readFileSync(join(folder, name), 'utf8')) as GoldenCase
    const check = Object.hasOwn(GOLDEN_CHECKS, file.method) ? GOLDEN_CHECKS[file.method] : undefined
    if (check === undefined) throw new Error(`${name}: no check knows the method '${file.method}'`)
    check.config.parse(file.config)
    expect(file.steps, 'steps').not.toHaveLength(0)
    check.run(file)
    checked.set(file.method, (checked.get(file.method) ?? 0) + 1)
  })

  afterAll(() => {
    const counts = [...checked].map(([method, count]) => `${method} ${count}`)
    const total = [...checked.values()].reduce((sum, count) => sum + count, 0)
    console.log(`golden balancers: ${total} of ${names.length} files agree: ${counts.join(', ')}`)
  })
})

/** @file Where the native engine's library is looked for, and what is said when it is not there or does not load. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { findNativeAddons } from '../../src/tensors/native-addons.ts'
import { loadNativeLibrary } from '../../src/tensors/native-binding.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-native-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('MILLRACE_NATIVE', () => {
  test('off refuses the native engine, and says so', () => {
    const { addons, absent } = findNativeAddons({ MILLRACE_NATIVE: 'off' })
    expect(addons).toEqual([])
    expect(absent).toContain('MILLRACE_NATIVE=off')
  })

  test('naming a folder, only that folder counts', () => {
    const { addons, absent } = findNativeAddons({ MILLRACE_NATIVE: join(folder, 'none') })
    expect(addons).toEqual([])
    expect(absent).toContain(join(folder, 'none'))
  })

  test('an addon without the record of its proof is left alone; with it, it is the one', () => {
    const file = join(folder, 'tfjs_binding.node')
    writeFileSync(file, 'not a library')
    expect(findNativeAddons({ MILLRACE_NATIVE: folder }).addons).toEqual([])
    writeFileSync(join(folder, 'installed.json'), '{}')
    expect(findNativeAddons({ MILLRACE_NATIVE: folder }).addons).toMatchObject([{ file }])
  })

  test('an addon that is no library is an error that names where it came from', () => {
    expect(() => loadNativeLibrary({ MILLRACE_NATIVE: folder })).toThrow(
      expect.objectContaining({
        code: 'ENGINE',
        message: expect.stringMatching(/of npm run native in .* does not load: .+/),
        remedy: expect.stringContaining('millrace doctor'),
      }),
    )
  })

  test('unset, what was looked for is said', () => {
    expect(findNativeAddons({}).absent).toMatch(/tfjs-node.*npm run native/)
  })
})

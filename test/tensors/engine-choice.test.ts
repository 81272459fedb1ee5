/** @file The engine that is opened, the reason that is given, and the proof that a wrong engine is turned away. */

import { describe, expect, test } from 'vitest'
import type { Engine, Tensor } from '../../src/tensors/engine.ts'
import { checkEngine } from '../../src/tensors/engine-check.ts'
import { openEngine } from '../../src/tensors/engine-choice.ts'
import { loadKernels } from '../../src/tensors/kernel-binding.ts'
import { loadNativeLibrary } from '../../src/tensors/native-binding.ts'
import { plainEngine } from '../../src/tensors/plain-engine.ts'

function loads(load: () => unknown): boolean {
  try {
    load()
    return true
  } catch {
    return false
  }
}

const kernelsLoad = loads(loadKernels)
const libraryLoads = loads(loadNativeLibrary)

describe('openEngine', () => {
  test('gives the engine asked for, by name', async () => {
    const names = await Promise.all(
      (['plain', 'plain-float64', 'wasm', 'cpu'] as const).map(async (preference) => {
        const { engine, name } = await openEngine(preference)
        expect(engine.name).toBe(name)
        return name
      }),
    )
    expect(names).toEqual(['plain-float32', 'plain-float64', 'tfjs-wasm', 'tfjs-cpu'])
  })

  test('prefers native, then wasm, and says what was missing', async () => {
    const { name, reason } = await openEngine('auto')
    if (kernelsLoad) {
      expect([name, reason]).toEqual(['native', expect.stringMatching(/^using Millrace's own/)])
    } else if (libraryLoads) {
      expect([name, reason]).toEqual(['tfjs-native', expect.stringContaining('; using TensorFlow')])
    } else {
      console.warn(`NOT TESTED: neither native engine starts here: ${reason}`)
      expect(name).toBe('tfjs-wasm')
      expect(reason).toMatch(/(tfjs-node|MILLRACE_NATIVE).*; using the WebAssembly engine/)
    }
  })

  test('gives the same engine each time', async () => {
    expect((await openEngine('tfjs')).name).toBe((await openEngine('tfjs')).name)
  })

  test('is an error with the cause when the one engine asked for does not start', async () => {
    if (libraryLoads) return
    await expect(openEngine('tensorflow')).rejects.toMatchObject({
      code: 'ENGINE',
      message: expect.stringMatching(/tfjs-node|MILLRACE_NATIVE/),
    })
  })
})

describe('checkEngine', () => {
  test('passes the plain engine and leaves no tensor behind', () => {
    const engine = plainEngine()
    checkEngine(engine)
    expect(engine.liveTensors()).toBe(0)
  })

  /** The plain engine with another softmax. */
  function engineWith(softmax: (engine: Engine, x: Tensor) => Tensor): Engine {
    return new Proxy(plainEngine(), {
      get: (engine, name) => {
        if (name === 'softmax') return (x: Tensor) => softmax(engine, x)
        const member: unknown = Reflect.get(engine, name)
        return typeof member === 'function' ? member.bind(engine) : member
      },
    })
  }

  test('turns away an engine with one wrong kernel, naming it', () => {
    const wrong = engineWith((engine, x) => engine.affine(x, 2, 0))
    const message = 'plain-float32: kernel softmax gives wrong numbers'
    expect(() => checkEngine(wrong)).toThrow(expect.objectContaining({ code: 'ENGINE', message }))
  })

  test('turns away an engine with a kernel that throws, naming it', () => {
    const wrong = engineWith(() => {
      throw new Error('symbol not found')
    })
    const message = 'plain-float32: kernel softmax fails: symbol not found'
    expect(() => checkEngine(wrong)).toThrow(expect.objectContaining({ code: 'ENGINE', message }))
  })
})

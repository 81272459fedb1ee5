import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { parseYaml } from '../../src/settings/yaml-source.ts'

function failure(text: string): MillraceError {
  try {
    parseYaml('job.yaml', text)
  } catch (error) {
    if (error instanceof MillraceError) return error
    throw error
  }
  throw new Error('parsed')
}

describe('parseYaml', () => {
  test('gives the value, and the line of every key and list entry', () => {
    const source = parseYaml(
      'job.yaml',
      ['# comment', 'a:', '  b: [1, 2]', '  c:', '    - x: 1', '    -', '      x: 2', ''].join(
        '\n',
      ),
    )
    expect(source.value).toEqual({ a: { b: [1, 2], c: [{ x: 1 }, { x: 2 }] } })
    expect(source.lineOf(['a'])).toBe(2)
    expect(source.lineOf(['a', 'b', 1])).toBe(3)
    expect(source.lineOf(['a', 'c'])).toBe(4)
    expect(source.lineOf(['a', 'c', 0, 'x'])).toBe(5)
    expect(source.lineOf(['a', 'c', 1, 'x'])).toBe(7)
  })

  test('an absent place has the line of what should contain it', () => {
    const source = parseYaml('job.yaml', 'a:\n  b:\n    c: 1\n')
    expect(source.lineOf(['a', 'b', 'd'])).toBe(2)
    expect(source.lineOf(['z'])).toBe(1)
    expect(parseYaml('job.yaml', '').lineOf(['z'])).toBe(1)
  })

  test('places inside an alias have the line where they are written', () => {
    const source = parseYaml('job.yaml', 'one: &shared\n  x: 1\ntwo: *shared\n')
    expect(source.value).toEqual({ one: { x: 1 }, two: { x: 1 } })
    expect(source.lineOf(['two', 'x'])).toBe(2)
  })

  test('every line of a generated file is found again', () => {
    const scalar = fc.oneof(fc.integer(), fc.boolean(), fc.stringMatching(/^[a-z]{1,8}$/))
    const keys = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(keys, fc.infiniteStream(scalar), (names, values) => {
        const lines = names.map((name) => `  ${name}: ${values.next().value}`)
        const source = parseYaml('job.yaml', ['top:', ...lines].join('\n'))
        names.forEach((name, i) => {
          expect(source.lineOf(['top', name])).toBe(i + 2)
        })
      }),
      { seed: 31 },
    )
  })

  test.each([
    ['a: 1\nb: [1, 2\nc: 3\n', /^job\.yaml:[23]: /],
    ['a: 1\na: 2\n', /^job\.yaml:2: this key was given before/],
    ['a:\n\tb: 1\n', /^job\.yaml:2: there is a tab/],
    ['a: *nothing\n', /^job\.yaml:1: an alias/],
    ['a: 1\n---\nb: 2\n', /^job\.yaml:2: there is a second document/],
    ['a: "x\n', /^job\.yaml:\d: a closing quote/],
  ])('a syntax error names its line and what to do: %j', (text, message) => {
    expect(failure(text)).toMatchObject({
      code: 'BAD_SETTINGS',
      message: expect.stringMatching(message),
    })
  })

  test('a syntax error never quotes the file', () => {
    const planted = 'hunter2'
    fc.assert(
      fc.property(
        fc.nat(60),
        fc.constantFrom('"', '[', '{', '\t', '*', '&', '!', ':', '\n- '),
        (at, junk) => {
          const text = `bus:\n  password: ${planted}\n  user: someone\ntrain:\n  seed: 1\n`
          const broken = text.slice(0, at) + junk + text.slice(at)
          try {
            parseYaml('job.yaml', broken)
          } catch (error) {
            expect(error).toBeInstanceOf(MillraceError)
            expect(String(error)).not.toContain(planted)
          }
        },
      ),
      { seed: 32, numRuns: 1000 },
    )
  })

  test('bombs are refused at once, not expanded', () => {
    const laughs = Array.from({ length: 30 }, (_, i) => {
      const last = i === 0 ? 'lol' : `*a${i - 1}`
      return `a${i}: &a${i} [${Array.from({ length: 9 }, () => last).join(', ')}]`
    }).join('\n')
    const bombs = {
      laughs,
      laughsBelowTheAliasLimit: laughs.split('\n').slice(0, 5).join('\n'),
      deep: '['.repeat(100_000),
      wide: Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n'),
      dashes: '- '.repeat(30_000),
      deepMaps: `a: ${'{a: '.repeat(50_000)}`,
      long: `a: ${'x'.repeat(2_000_000)}`,
      self: 'a: &a [*a]',
      repeated: 'a:\n'.repeat(20_000),
    }
    for (const [name, text] of Object.entries(bombs)) {
      expect(failure(text), name).toMatchObject({ code: 'BAD_SETTINGS' })
    }
  }, 20_000)

  test('a key named __proto__ is a key, and changes no prototype', () => {
    const { value } = parseYaml('job.yaml', '__proto__:\n  polluted: true\n')
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.keys(Object(value))).toEqual(['__proto__'])
    expect(Object(value)).not.toHaveProperty('polluted')
  })
})

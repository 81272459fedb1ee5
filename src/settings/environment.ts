/** @file What the environment adds to a job: `${NAME}` inside text, and secrets that a job only refers to. */

import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { z } from 'zod'
import { MillraceError, messageOf } from '../errors.ts'

/** Environment variables, normally `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/)

/** A setting that must not stand in the job file: it says where the value is. */
export const secretReference = z
  .union([
    z.strictObject({ from_env: variableName.describe('name of an environment variable') }),
    z.strictObject({ from_file: z.string().min(1).describe('path of a file with the value') }),
  ])
  .meta({ secret: true })

export type SecretReference = z.infer<typeof secretReference>

/** A value that prints, logs and serialises as `[secret]`; only `reveal()` gives it away. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself, for the one call that needs it. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}

/** Reads a secret when it is needed, not before; one newline at the end of a file is not part of it. */
export function readSecret(reference: SecretReference, environment: Environment): Secret {
  if ('from_env' in reference) return new Secret(variable(reference.from_env, environment))
  try {
    return new Secret(readFileSync(reference.from_file, 'utf8').replace(/\r?\n$/, ''))
  } catch (cause) {
    throw new MillraceError('BAD_SETTINGS', `cannot read a secret: ${messageOf(cause)}`, {
      remedy: `put it into ${reference.from_file}, readable for this user`,
      cause,
    })
  }
}

/** `${NAME}` replaced by the variable; `$${` stands for `${`. BAD_SETTINGS names a variable that is not set. */
export function expandText(text: string, environment: Environment): string {
  return text.replace(/\$(\$\{)|\$\{([^}]*)\}/g, (_, escaped: string, name: string) =>
    escaped === undefined ? variable(name, environment) : escaped,
  )
}

/** Settings with `expandText` applied to every text in them. Keys, and references to secrets, stay as they are. */
export function expandSettings<Settings>(settings: Settings, environment: Environment): Settings
export function expandSettings(settings: unknown, environment: Environment): unknown {
  if (typeof settings === 'string') return expandText(settings, environment)
  if (Array.isArray(settings)) return settings.map((entry) => expandSettings(entry, environment))
  if (typeof settings !== 'object' || settings === null) return settings
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [key, expandSettings(value, environment)]),
  )
}

function variable(name: string, environment: Environment): string {
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined
  if (value !== undefined) return value
  throw new MillraceError('BAD_SETTINGS', `the environment variable ${name} is not set`, {
    remedy: `export ${name}=... before the start`,
  })
}

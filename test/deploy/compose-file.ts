/** @file What the deployment tests read of docker-compose.yml, as written and as docker-compose understands it. */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

/** One service after `docker-compose config`: commands are lists, ports and volumes are texts, paths are absolute. */
export interface Service {
  readonly image?: string
  readonly build?: unknown
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}

const FILE = 'docker-compose.yml'

/** As the file is written, anchors resolved; environment values may be numbers. */
export function writtenCompose(): ComposeFile {
  return parse(readFileSync(FILE, 'utf8'), { merge: true }) as ComposeFile
}

/** The installed program, or why it cannot be asked. */
export function dockerCompose(): { readonly missing?: string } {
  if (spawnSync('docker-compose', ['--version']).status === 0) return {}
  return { missing: 'docker-compose is not installed (Debian package docker-compose)' }
}

/** What `docker-compose config` makes of the file; an error with its words when it refuses. */
export function understoodCompose(): ComposeFile {
  const { status, stdout, stderr } = spawnSync('docker-compose', ['-f', FILE, 'config'], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`docker-compose config: ${stderr}`)
  return parse(stdout) as ComposeFile
}

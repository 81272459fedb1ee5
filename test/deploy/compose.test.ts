/** @file The trial deployment: docker-compose takes the file, and everything that it names exists and is understood. */

import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { expandSettings } from '../../src/settings/environment.ts'
import { loadJob } from '../../src/settings/job.ts'
import { kafkaOptions } from '../../topology/bus.ts'
import { run } from '../topology/cli.ts'
import {
  type ComposeFile,
  dockerCompose,
  type Service,
  understoodCompose,
  writtenCompose,
} from './compose-file.ts'

const { missing } = dockerCompose()
if (missing !== undefined) console.error(`\n*** SKIPPED: docker-compose config: ${missing} ***\n`)

test('docker-compose is there where it must be', () => {
  if (process.env.CI) expect(missing).toBeUndefined()
})

describe.skipIf(missing !== undefined)('docker-compose config', () => {
  let understood: ComposeFile
  beforeAll(() => {
    understood = understoodCompose()
  })

  test('takes the file, with every service', () => {
    expect(Object.keys(understood.services).sort()).toEqual(
      ['grafana', 'kafka', 'learner', 'producer', 'prometheus', 'scorer'].sort(),
    )
    expect(Object.keys(understood.services)).toEqual(Object.keys(writtenCompose().services).sort())
  })

  test('every file and folder that is mounted exists', () => {
    const mounts = Object.values(understood.services).flatMap(({ volumes = [] }) => volumes)
    const sources = mounts.map((mount) => mount.split(':')[0] ?? '')
    const paths = sources.filter((source) => source.startsWith('/'))
    expect(paths.length).toBeGreaterThan(3)
    expect(paths.filter((path) => !existsSync(path))).toEqual([])
    const named = sources.filter((source) => !source.startsWith('/'))
    expect(named.filter((name) => !(name in understood.volumes))).toEqual([])
  })

  test('every service waits for what it needs, and what is waited for can tell that it is well', () => {
    for (const [name, { depends_on = {} }] of Object.entries(understood.services)) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        expect(condition, `${name} -> ${other}`).toBe('service_healthy')
        expect(understood.services[other]?.healthcheck, other).toBeDefined()
      }
    }
  })
})

describe('docker-compose.yml', () => {
  const { services } = writtenCompose()
  const all = Object.entries(services)
  const ours = all.filter(([, { build }]) => build !== undefined)

  test('publishes ports on loopback only', () => {
    const ports = all.flatMap(([, service]) => service.ports ?? [])
    expect(ports.length).toBeGreaterThan(4)
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([])
  })

  test('pins every image that it does not build', () => {
    const images = all.flatMap(([, { build, image }]) => (build === undefined ? image : []))
    expect(images).toHaveLength(3)
    for (const image of images) expect(image).toMatch(/^[a-z]+\/[a-z]+:v?\d+\.\d+\.\d+$/)
  })

  test('runs the three programs', () => {
    expect(ours.map(([name]) => name).sort()).toEqual(['learner', 'producer', 'scorer'])
  })

  test.each(ours)(
    '%s runs a command that the program knows, with options that it has',
    async (_, service) => {
      const [name = '', ...args] = service.command ?? []
      const { stdout: program } = await run(['--help'])
      expect(program).toMatch(new RegExp(`^ {2}${name} `, 'm'))
      const { stdout: help } = await run([name, '--help'])
      const { operands } = parsed(args, help)
      const wanted = /^Usage: millrace \w+ \[options\](.*)$/m.exec(help)?.[1]?.trim() ?? ''
      expect(operands.length).toBe(wanted === '' ? 0 : wanted.split(' ').length)
    },
  )

  test.each(ours)('%s names a job that the image has and that is sound', async (_, service) => {
    const files = (service.command ?? []).filter((word) => word.endsWith('.yaml'))
    expect(files).toHaveLength(1)
    const file = (files[0] ?? '').replace('/app/', '')
    expect((await run(['check', file])).stdout).toContain('sound')
    const { bus } = await loadJob(file)
    expect(bus.kind).toBe('kafka')
    if (bus.kind !== 'kafka') return
    const environment = service.environment ?? {}
    expect(kafkaOptions(expandSettings(bus, environment), environment).brokers).toEqual([
      'kafka:9092',
    ])
  })

  test('the broker listens where its clients are sent', () => {
    const kafka = services.kafka?.environment ?? {}
    const listens = portsOf(kafka.KAFKA_LISTENERS)
    const advertised = portsOf(kafka.KAFKA_ADVERTISED_LISTENERS)
    expect(advertised.get('INSIDE')).toBe('kafka:9092')
    for (const [name, address] of advertised) {
      expect(listens.get(name), name).toBe(`:${address.split(':')[1]}`)
    }
    expect(services.kafka?.ports).toContain(`${advertised.get('HOST')}:19092`)
    expect(Buffer.from(kafka.CLUSTER_ID ?? '', 'base64url')).toHaveLength(16)
  })

  test('asks for health where the programs serve it', async () => {
    const job = await loadJob('examples/kafka/job.yaml')
    const url = (service?: Service) =>
      /http:[^"]+/.exec(service?.healthcheck?.test.join(' ') ?? '')?.[0]
    expect(url(services.learner)).toBe(`http://127.0.0.1:${job.observe.http.port}/healthz`)
    expect(job.observe.http.host).toBe('0.0.0.0')
    const { options } = parsed(
      services.scorer?.command?.slice(1) ?? [],
      (await run(['serve', '--help'])).stdout,
    )
    expect(options.get('--host')).toBe('0.0.0.0')
    expect(url(services.scorer)).toBe(`http://127.0.0.1:${options.get('--port')}/healthz`)
  })
})

describe('Dockerfile', () => {
  const lines = readFileSync('Dockerfile', 'utf8').split('\n')
  const ignore = readFileSync('.dockerignore', 'utf8').split('\n')

  test('copies what exists and is not ignored, and nothing that is let through is left out', () => {
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(/\s+/).slice(1, -1))
    expect(copied.length).toBeGreaterThan(5)
    expect(copied.filter((path) => !existsSync(path))).toEqual([])
    expect(ignore).toContain('*')
    const through = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
    expect([...new Set(copied)].sort()).toEqual(through.sort())
  })

  test('starts the command line of the package, not as root, on the Node that the package asks for', () => {
    const { bin, engines } = JSON.parse(readFileSync('package.json', 'utf8'))
    const entry = lines.find((line) => line.startsWith('ENTRYPOINT'))
    const program = resolve('/app', bin.millrace)
    expect(entry).toBe(`ENTRYPOINT ["node", "--max-semi-space-size=64", "${program}"]`)
    expect(lines).toContain('USER node')
    const versions = lines.flatMap(
      (line) => /^FROM node:(\d+)\.(\d+)\.\d+-/.exec(line)?.slice(1, 3) ?? [],
    )
    const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node) ?? []
    expect(versions).toHaveLength(4)
    expect(versions[0]).toBe(major)
    expect(Number(versions[1])).toBeGreaterThanOrEqual(Number(minor))
    expect(versions.slice(2)).toEqual(versions.slice(0, 2))
  })
})

/** Arguments by the help text: an option with `<...>` takes the next word; an unknown option fails the test. */
function parsed(args: readonly string[], help: string) {
  const options = new Map<string, string>()
  const operands: string[] = []
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? ''
    if (!word.startsWith('-')) {
      operands.push(word)
      continue
    }
    const known = new RegExp(`^ +(?:-\\w, )?${word}( <[^>]+>)?(?: |$)`, 'm').exec(help)
    expect(known, `${word} in ${help}`).not.toBeNull()
    options.set(word, known?.[1] === undefined ? '' : (args[++i] ?? ''))
  }
  return { options, operands }
}

/** `NAME://host:port,...` by name. */
function portsOf(listeners = ''): Map<string, string> {
  return new Map(
    listeners.split(',').map((one) => {
      const [name = '', address = ''] = one.split('://')
      return [name, address]
    }),
  )
}

// A throw-away authority and a broker certificate for TLS listeners, made with openssl.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, KafkaError } from './program.mjs'

const DAYS = '3650'

/** Makes authority.pem, broker.pem (key, certificate, authority) and client.pem / client.key in `folder`, unless they are there. */
export function makeCertificates(folder) {
  if (existsSync(join(folder, 'broker.pem'))) return
  const openssl = findProgram(
    'openssl',
    'Install it: it makes the certificate of the TLS listener.',
  )
  mkdirSync(folder, { recursive: true })
  const run = (...args) => {
    const { status, stderr } = spawnSync(openssl, args, { cwd: folder, encoding: 'utf8' })
    if (status !== 0) throw new KafkaError(`openssl ${args[0]} failed: ${stderr}`)
  }
  run(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    DAYS,
    '-subj',
    '/CN=millrace test authority',
    '-keyout',
    'authority.key',
    '-out',
    'authority.pem',
  )
  writeFileSync(join(folder, 'names.txt'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  for (const name of ['broker', 'client']) {
    run(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    )
    run(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'authority.pem',
      '-CAkey',
      'authority.key',
      '-CAcreateserial',
      '-days',
      DAYS,
      '-extfile',
      'names.txt',
      '-out',
      `${name}.crt`,
    )
  }
  const text = (file) => readFileSync(join(folder, file), 'utf8')
  writeFileSync(
    join(folder, 'broker.pem'),
    text('broker.key') + text('broker.crt') + text('authority.pem'),
  )
}

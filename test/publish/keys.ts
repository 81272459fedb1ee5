/** @file Key pairs for tests of signatures, in PEM. */

import { generateKeyPairSync } from 'node:crypto'

export interface PemPair {
  readonly privatePem: string
  readonly publicPem: string
}

export function keyPair(): PemPair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

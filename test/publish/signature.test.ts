/** @file Signatures: what a consumer that asks for them takes, and what bad keys say without giving themselves away. */

import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  type SignedFacts,
  signerFromPem,
  TrustedKeys,
  updateMessage,
} from '../../src/publish/signature.ts'
import { keyPair } from './keys.ts'

const FACTS: SignedFacts = {
  model_id: 'shop',
  trainer_epoch: 3,
  sequence: 12,
  sha256: 'ab'.repeat(32),
}

test('a signature is good for its own facts and for no others', () => {
  const { privatePem, publicPem } = keyPair()
  const signature = signerFromPem(privatePem).sign(updateMessage(FACTS))
  const trusted = new TrustedKeys(publicPem)
  expect(trusted.verify(updateMessage(FACTS), signature)).toBe(true)
  const others: Partial<SignedFacts>[] = [
    { model_id: 'shop2' },
    { trainer_epoch: 4 },
    { sequence: 13 },
    { sha256: 'ac'.repeat(32) },
  ]
  for (const other of others) {
    expect(trusted.verify(updateMessage({ ...FACTS, ...other }), signature)).toBe(false)
  }
  for (const length of [0, 1, 63, 65]) {
    expect(trusted.verify(updateMessage(FACTS), new Uint8Array(length))).toBe(false)
  }
})

test('any of several trusted keys will do, another one will not', () => {
  const [old, next, stranger] = [keyPair(), keyPair(), keyPair()]
  const trusted = new TrustedKeys(`# until June\n${old.publicPem}\n${next.publicPem}`)
  const message = updateMessage(FACTS)
  const by = (pem: string): boolean => trusted.verify(message, signerFromPem(pem).sign(message))
  expect([old, next, stranger].map(({ privatePem }) => by(privatePem))).toEqual([true, true, false])
})

test('a key that is none is refused with what would be right and without a word of it', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const wrongPrivate = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const wrongPublic = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const { privatePem, publicPem } = keyPair()
  const faults = [
    () => signerFromPem('hunter2-secret'),
    () => signerFromPem(wrongPrivate),
    () => signerFromPem(publicPem),
    () => new TrustedKeys('hunter2-secret'),
    () => new TrustedKeys(wrongPublic),
    () => new TrustedKeys(privatePem), // a private key has no business in a consumer
  ].map((make) => {
    try {
      return make()
    } catch (thrown) {
      return thrown
    }
  })
  for (const fault of faults) {
    expect(fault).toMatchObject({
      code: 'BAD_SETTINGS',
      remedy: expect.stringContaining('openssl'),
    })
    expect(String(fault)).not.toMatch(/hunter2|MII|MC4/)
    expect((fault as Error).cause).toBeUndefined()
  }
})

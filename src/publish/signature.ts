/**
 * @file Ed25519 signatures of updates (RFC 8032, by node:crypto): who holds the private key says which content is which version of
 * which model in which life of the trainer. So no part of it can be replayed under another name or as something newer.
 */

import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { MillraceError } from '../errors.ts'
import type { ChunkEnvelope } from './chunk.ts'

/** What a signature covers of an update's envelope; the sha256 covers the content. */
export type SignedFacts = Pick<ChunkEnvelope, 'model_id' | 'trainer_epoch' | 'sequence' | 'sha256'>

/** Makes signatures; knows how to keep its key. */
export interface Signer {
  sign(message: Uint8Array): Uint8Array
}

/** Bytes of every signature. */
export const SIGNATURE_BYTES = 64

/** The bytes that are signed: four lines and the model id, which may hold anything. */
export function updateMessage({
  model_id,
  trainer_epoch,
  sequence,
  sha256,
}: SignedFacts): Uint8Array {
  return Buffer.from(`millrace update 1\n${trainer_epoch}\n${sequence}\n${sha256}\n${model_id}`)
}

/** A signer from a PEM (PKCS #8) text; BAD_SETTINGS, without a word of the text, when it is no ed25519 private key. */
export function signerFromPem(pem: string): Signer {
  const key = parsed(() => createPrivateKey(pem), 'the signing key', PRIVATE_REMEDY)
  return { sign: (message) => sign(null, message, key) }
}

/** Public keys that a consumer trusts: any one of them will do, so that keys can be changed without a gap. */
export class TrustedKeys {
  readonly #keys: readonly KeyObject[]

  /** From PEM (SPKI) texts, one or more after the other; BAD_SETTINGS when there is none or one is no ed25519 public key. */
  constructor(pem: string) {
    const blocks = pem.match(/-----BEGIN [^-]+-----[^-]*-----END [^-]+-----/g) ?? []
    if (blocks.length === 0) {
      throw new MillraceError('BAD_SETTINGS', 'there is no public key', { remedy: PUBLIC_REMEDY })
    }
    if (blocks.some((block) => !block.startsWith('-----BEGIN PUBLIC KEY-----'))) {
      throw new MillraceError(
        'BAD_SETTINGS',
        'a key to check signatures with is not a public key',
        {
          remedy: PUBLIC_REMEDY,
        },
      )
    }
    this.#keys = blocks.map((block) =>
      parsed(() => createPublicKey(block), 'the public key', PUBLIC_REMEDY),
    )
  }

  /** Whether one of the keys made this signature of this message. */
  verify(message: Uint8Array, signature: Uint8Array): boolean {
    if (signature.length !== SIGNATURE_BYTES) return false
    return this.#keys.some((key) => verify(null, message, key, signature))
  }
}

const PRIVATE_REMEDY = 'make one with: openssl genpkey -algorithm ed25519 -out signing.pem'
const PUBLIC_REMEDY =
  'take it from the signing key: openssl pkey -in signing.pem -pubout -out public.pem'

/** The cause is left out on purpose: it might quote the key. */
function parsed(parse: () => KeyObject, what: string, remedy: string): KeyObject {
  const fault = new MillraceError('BAD_SETTINGS', `${what} is not an ed25519 key in PEM`, {
    remedy,
  })
  try {
    const key = parse()
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    throw fault
  }
  throw fault
}

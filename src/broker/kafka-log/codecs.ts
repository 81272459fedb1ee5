/** @file Kafka's compression codecs, of which kafkajs has only gzip; each is loaded when the first batch needs it. */

import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import snappy from 'kafkajs-snappy'
import { MillraceError, messageOf } from '../../errors.ts'
import type { Compression } from '../options.ts'

interface Codec {
  compress(bytes: Buffer): Promise<Buffer>
  decompress(bytes: Buffer): Promise<Buffer>
}

/** Largest opened batch, bytes: stops a small batch from filling the memory. */
const LARGEST_OPENED = 256 << 20

/** What an opened zstd batch may take at the first try, bytes; doubled until it fits. */
const ZSTD_FIRST_TRY = 4 << 20
/** `ZSTD_error_dstSize_tooSmall`, at the end of the library's message. */
const ZSTD_DOES_NOT_FIT = ' -70'

/** By the number in a batch's attributes. */
const NAMES: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** The number of a codec in the record format. */
export function codecNumber(name: Compression): number {
  return NAMES.indexOf(name)
}

/** Opens the body of a compressed batch; BROKER for a codec that is not known or cannot be loaded, CORRUPT for bad bytes. */
export async function decompress(number: number, body: Buffer): Promise<Buffer> {
  const name = NAMES[number]
  if (name === undefined || name === 'none') {
    throw new MillraceError(
      'BROKER',
      `records are compressed with codec ${number}, which is not known`,
      {
        remedy: `Known are ${NAMES.join(', ')}: let the producer use one of them.`,
      },
    )
  }
  const codec = await openCodec(name)
  try {
    return await codec.decompress(body)
  } catch (cause) {
    throw new MillraceError(
      'CORRUPT',
      `records compressed with ${name} cannot be opened: ${messageOf(cause)}`,
      {
        cause,
      },
    )
  }
}

/** The bytes as a producer sends them; BROKER for a codec that cannot be loaded. */
export async function compress(name: Compression, body: Buffer): Promise<Buffer> {
  return (await openCodec(name)).compress(body)
}

async function openCodec(name: Compression): Promise<Codec> {
  try {
    return await CODECS[name]()
  } catch (cause) {
    throw new MillraceError('BROKER', `the codec ${name} cannot be loaded: ${messageOf(cause)}`, {
      remedy: 'Install the package again for this platform, or use another codec.',
      cause,
    })
  }
}

/** Two of them bring a library along. */
const CODECS: Readonly<Record<Compression, () => Promise<Codec>>> = {
  none: async () => ({ compress: async (bytes) => bytes, decompress: async (bytes) => bytes }),
  gzip: async () => ({
    compress: (bytes) => promisify(gzip)(bytes),
    decompress: (bytes) => promisify(gunzip)(bytes, { maxOutputLength: LARGEST_OPENED }),
  }),
  snappy: async () => {
    const codec = snappy()
    return {
      compress: (bytes) => codec.compress({ buffer: bytes }),
      decompress: (bytes) => codec.decompress(bytes),
    }
  },
  lz4: async () => {
    const { compressFrame, decompressFrame } = await import('lz4-napi')
    return {
      compress: (bytes) => compressFrame(bytes),
      decompress: (bytes) => decompressFrame(bytes),
    }
  },
  zstd: once(async () => {
    const zstd = await import('@bokuweb/zstd-wasm')
    await zstd.init()
    return {
      compress: async (bytes) => Buffer.from(zstd.compress(bytes)),
      decompress: async (bytes) => Buffer.from(openZstd(zstd.decompress, bytes)),
    }
  }),
}

/** A frame that was written as a stream does not say how large it is: tries until it fits. */
function openZstd(
  open: (bytes: Uint8Array, options: { defaultHeapSize: number }) => Uint8Array,
  bytes: Buffer,
): Uint8Array {
  for (let size = Math.max(ZSTD_FIRST_TRY, bytes.length * 8); ; size *= 2) {
    try {
      return open(bytes, { defaultHeapSize: size })
    } catch (error) {
      if (!messageOf(error).endsWith(ZSTD_DOES_NOT_FIT) || size * 2 > LARGEST_OPENED) throw error
    }
  }
}

/** Initialised again, the library forgets its memory while it is used; a constant that is made when it is needed. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** @file Types of the encoders and decoders of kafkajs with which the tests make and read record batches. */

declare module 'kafkajs/src/protocol/recordBatch/v0/index.js' {
  export function RecordBatch(options: {
    readonly firstTimestamp: number
    readonly maxTimestamp?: number
    readonly lastOffsetDelta?: number
    readonly transactional?: boolean
    readonly producerId?: number
    readonly records: readonly unknown[]
  }): Promise<{ readonly buffer: Buffer }>
}

declare module 'kafkajs/src/protocol/recordBatch/record/v0/index.js' {
  export default function Record(options: {
    readonly offsetDelta?: number
    readonly timestampDelta?: number
    readonly key: Buffer
    readonly value: Buffer
    readonly headers?: object
  }): unknown
}

declare module 'kafkajs/src/protocol/decoder.js' {
  export default class Decoder {
    constructor(bytes: Buffer)
  }
}

declare module 'kafkajs/src/protocol/recordBatch/v0/decoder.js' {
  import type Decoder from 'kafkajs/src/protocol/decoder.js'

  export default function decode(decoder: Decoder): Promise<{
    readonly records: readonly {
      readonly timestamp: string
      readonly key: Buffer
      readonly value: Buffer
    }[]
  }>
}

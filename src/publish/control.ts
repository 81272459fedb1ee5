/** @file What operators decide about published versions (docs/model-topic.md, "Control"): a pin, and versions that stay back for good. */

import { AvroCodec } from '../wire/avro-codec.ts'
import type { AvroSchema } from '../wire/avro-schema.ts'
import type { TrustedKeys } from './signature.ts'

/** Fields as in schemas/model-control.avsc. */
export interface ModelControl {
  readonly model_id: string
  readonly revision: number
  /** 0: no pin. */
  readonly pinned_sequence: number
  readonly pinned_sha256: string
  readonly withdrawn: readonly string[]
  readonly reason: string
  readonly decided_at_ms: number
  readonly signature: Uint8Array
}

/** What holds as long as nobody has decided anything. */
export function noControl(modelId: string): ModelControl {
  return {
    model_id: modelId,
    revision: 0,
    pinned_sequence: 0,
    pinned_sha256: '',
    withdrawn: [],
    reason: '',
    decided_at_ms: 0,
    signature: new Uint8Array(0),
  }
}

/** The topic that goes with a model topic. */
export function controlTopicOf(topic: string): string {
  return `${topic}.control`
}

/** The bytes that are signed. */
export function controlMessage(control: Omit<ModelControl, 'signature'>): Uint8Array {
  const { revision, pinned_sequence, pinned_sha256, withdrawn, model_id } = control
  const lines = [revision, pinned_sequence, pinned_sha256, withdrawn.join(','), model_id]
  return Buffer.from(`millrace control 1\n${lines.join('\n')}`)
}

/** Reads and writes the records of the control topic. */
export class ControlCodec {
  readonly #codec: AvroCodec

  constructor(schema: AvroSchema) {
    this.#codec = new AvroCodec({ schema })
  }

  encode(control: ModelControl): Uint8Array {
    return this.#codec.encode({ ...control })
  }

  /** The decision, or undefined when the bytes are none or, with trusted keys, nobody trusted signed it. */
  decode(bytes: Uint8Array, trusted: TrustedKeys | undefined): ModelControl | undefined {
    const decoded = this.#codec.decode(bytes)
    if (decoded.kind === 'malformed') return undefined
    const control = decoded.value as unknown as ModelControl
    const good = trusted === undefined || trusted.verify(controlMessage(control), control.signature)
    return good ? control : undefined
  }
}

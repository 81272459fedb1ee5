/** @file Avro bodies of `POST /score`: rows in, scores out, both in single-object encoding, by the rules that JSON bodies are read by. */

import type { FastifyInstance } from 'fastify'
import { AvroCodec } from '../wire/avro-codec.ts'
import type { AvroSchema } from '../wire/avro-schema.ts'
import type { Scored } from './scorer.ts'

export const AVRO_TYPE = 'avro/binary'

/** The schemas of schemas/score-request.avsc and schemas/score-answer.avsc. */
export interface ScoreSchemas {
  readonly request: AvroSchema
  readonly answer: AvroSchema
}

/** A row as the request's schema has it. */
interface AvroRow {
  readonly event_time: number
  readonly fields: Readonly<Record<string, unknown>>
}

/** Reads requests and writes answers. */
export class AvroBodies {
  readonly #request: AvroCodec
  readonly #answer: AvroCodec

  constructor({ request, answer }: ScoreSchemas) {
    this.#request = new AvroCodec({ schema: request })
    this.#answer = new AvroCodec({ schema: answer })
  }

  /** Bodies of this type come to the handler as JSON bodies do; what is no such body is answered with 400 and the reason. */
  addTo(server: FastifyInstance, timeField: string): void {
    server.addContentTypeParser(
      AVRO_TYPE,
      { parseAs: 'buffer' },
      async (_request: unknown, body: Buffer) => {
        const decoded = this.#request.decode(body)
        if (decoded.kind === 'value') return { rows: rowsOf(decoded.value.rows, timeField) }
        throw Object.assign(new TypeError(decoded.reason), { statusCode: 400 })
      },
    )
  }

  /** The scores of so many rows. */
  write({ version, sha256, tasks, probabilities }: Scored, rows: number): Uint8Array {
    const rowMajor = Array.from(
      { length: probabilities.length },
      (_, i) => probabilities[(i % tasks.length) * rows + Math.floor(i / tasks.length)],
    )
    return this.#answer.encode({ version, sha256, tasks, probabilities: rowMajor })
  }
}

/** The schema has checked the types. */
function rowsOf(rows: unknown, timeField: string): object[] {
  return (rows as readonly AvroRow[]).map((row) => ({ ...row.fields, [timeField]: row.event_time }))
}

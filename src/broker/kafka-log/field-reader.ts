/** @file Fields of the Kafka protocol, big-endian, read one after the other from the body of a response. */

/** Throws RangeError past the end, which a framed response never has. */
export class FieldReader {
  readonly #body: Buffer
  #at = 0

  constructor(body: Buffer) {
    this.#body = body
  }

  int16(): number {
    this.#at += 2
    return this.#body.readInt16BE(this.#at - 2)
  }

  int32(): number {
    this.#at += 4
    return this.#body.readInt32BE(this.#at - 4)
  }

  int64(): bigint {
    this.#at += 8
    return this.#body.readBigInt64BE(this.#at - 8)
  }

  text(): string {
    return this.#take(this.int16()).toString()
  }

  /** A view; absent (length -1) is empty. */
  bytes(): Buffer {
    return this.#take(Math.max(0, this.int32()))
  }

  #take(length: number): Buffer {
    this.#at += length
    if (this.#at > this.#body.length) throw new RangeError('the response ends early')
    return this.#body.subarray(this.#at - length, this.#at)
  }
}

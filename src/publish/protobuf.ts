/** @file The few wire types of Protocol Buffers that an ONNX file is made of (protobuf.dev, "Encoding"). */

/** One message under construction; fields in the order in which they are added. */
export class Message {
  readonly #parts: Uint8Array[] = []

  /** A varint field; negative numbers as 64-bit two's complement. */
  int(field: number, value: number): this {
    return this.#add(varint(field * 8), varint(value))
  }

  /** A 32-bit float field. */
  float(field: number, value: number): this {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setFloat32(0, value, true)
    return this.#add(varint(field * 8 + 5), bytes)
  }

  /** A length-delimited field: bytes, a text, or another message. */
  bytes(field: number, value: Uint8Array | string | Message): this {
    const bytes =
      typeof value === 'string'
        ? Buffer.from(value)
        : value instanceof Message
          ? value.finish()
          : value
    return this.#add(varint(field * 8 + 2), varint(bytes.length), bytes)
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#parts)
  }

  #add(...parts: readonly Uint8Array[]): this {
    this.#parts.push(...parts)
    return this
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    const low = Number(rest & 127n)
    rest >>= 7n
    bytes.push(rest === 0n ? low : low + 128)
  } while (rest > 0n)
  return Uint8Array.from(bytes)
}

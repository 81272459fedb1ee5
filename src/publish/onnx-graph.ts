/** @file An ONNX GraphProto under construction: nodes, initializers, inputs and outputs (onnx.proto3; field numbers are its). */

import { Message } from './protobuf.ts'

const FLOAT = 1
const INT64 = 7
const ATTRIBUTE_FLOAT = 1
const ATTRIBUTE_INT = 2
const ATTRIBUTE_INTS = 7

/** Values have generated names, but for parameters and inputs. */
export class OnnxGraph {
  readonly #nodes: Message[] = []
  readonly #initializers: Message[] = []
  readonly #inputs: Message[] = []
  readonly #outputs: Message[] = []
  #count = 0

  /** Adds an operation with one output, and returns its name. */
  node(
    operator: string,
    inputs: readonly string[],
    integers: Readonly<Record<string, number | readonly number[]>> = {},
    floats: Readonly<Record<string, number>> = {},
    output = this.#fresh(),
  ): string {
    const node = new Message()
    for (const input of inputs) node.bytes(1, input)
    node.bytes(2, output).bytes(4, operator)
    for (const [name, value] of Object.entries(integers))
      node.bytes(5, integerAttribute(name, value))
    for (const [name, value] of Object.entries(floats)) {
      node.bytes(5, new Message().bytes(1, name).float(2, value).int(20, ATTRIBUTE_FLOAT))
    }
    this.#nodes.push(node)
    return output
  }

  /** A tensor of float32 that belongs to the model. */
  floats(shape: readonly number[], values: Float32Array, name = this.#fresh()): string {
    return this.#tensor(
      FLOAT,
      shape,
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      name,
    )
  }

  /** A list of integers that belongs to the model. */
  ints(values: readonly number[]): string {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
    return this.#tensor(INT64, [values.length], bytes, this.#fresh())
  }

  /** A matrix [rows, columns] of float32 that is given; both sizes are free. */
  input(name: string): string {
    this.#inputs.push(matrixInfo(name, undefined))
    return name
  }

  /** Names a value as the model's result [rows, columns]. */
  output(name: string, value: string, columns: number): void {
    this.node('Identity', [value], {}, {}, name)
    this.#outputs.push(matrixInfo(name, columns))
  }

  finish(name: string): Message {
    const graph = new Message()
    for (const node of this.#nodes) graph.bytes(1, node)
    graph.bytes(2, name)
    for (const tensor of this.#initializers) graph.bytes(5, tensor)
    for (const input of this.#inputs) graph.bytes(11, input)
    for (const output of this.#outputs) graph.bytes(12, output)
    return graph
  }

  #tensor(type: number, shape: readonly number[], raw: Uint8Array, name: string): string {
    const tensor = new Message()
    for (const size of shape) tensor.int(1, size)
    this.#initializers.push(tensor.int(2, type).bytes(8, name).bytes(9, raw))
    return name
  }

  #fresh(): string {
    this.#count += 1
    return `v${this.#count}`
  }
}

function integerAttribute(name: string, value: number | readonly number[]): Message {
  const attribute = new Message().bytes(1, name)
  if (typeof value === 'number') return attribute.int(3, value).int(20, ATTRIBUTE_INT)
  for (const one of value) attribute.int(8, one)
  return attribute.int(20, ATTRIBUTE_INTS)
}

function matrixInfo(name: string, columns: number | undefined): Message {
  const free = (axis: string): Message => new Message().bytes(2, axis)
  const width = columns === undefined ? free(`${name}_columns`) : new Message().int(1, columns)
  const shape = new Message().bytes(1, free('rows')).bytes(1, width)
  const tensor = new Message().int(1, FLOAT).bytes(2, shape)
  return new Message().bytes(1, name).bytes(2, new Message().bytes(1, tensor))
}

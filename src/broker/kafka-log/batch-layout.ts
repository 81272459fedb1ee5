/** @file Where the fields of a record batch are (message format 2, `DefaultRecordBatch` of Kafka); reader and writer share it. */

/** Byte offsets from the start of the batch. */
export const BATCH = {
  baseOffset: 0,
  /** Of what follows this field. */
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  /** The checksum covers everything from here. */
  attributes: 21,
  lastOffsetDelta: 23,
  firstTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const

/** Bits of the attributes. */
export const ATTRIBUTES = {
  codec: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
} as const

/** The format that brokers have written since 0.11. */
export const MESSAGE_FORMAT = 2

package millrace.peer;

import org.apache.avro.generic.GenericRecord;

/** An event: its framed bytes, and its fields when somebody needs them. State stores keep the bytes as they came. */
final class Event {
  final byte[] bytes;
  private final EventCodec codec;
  private GenericRecord fields;

  Event(byte[] bytes, EventCodec codec, GenericRecord fields) {
    this.bytes = bytes;
    this.codec = codec;
    this.fields = fields;
  }

  GenericRecord fields() {
    if (fields == null) fields = codec.decode(bytes);
    return fields;
  }

  long time() {
    return (Long) fields().get("event_time");
  }
}

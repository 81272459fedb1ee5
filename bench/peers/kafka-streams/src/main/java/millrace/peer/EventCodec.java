package millrace.peer;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** Avro's single-object encoding: C3 01, the schema's fingerprint, the value. */
final class EventCodec {
  private static final int HEADER = 10;

  final Schema schema;
  private final byte[] fingerprint;
  private final GenericDatumReader<GenericRecord> reader;
  private final ThreadLocal<BinaryDecoder> decoders = new ThreadLocal<>();

  EventCodec(File file) {
    try {
      schema = new Schema.Parser().parse(file);
      fingerprint = SchemaNormalization.parsingFingerprint("CRC-64-AVRO", schema);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    } catch (java.security.NoSuchAlgorithmException error) {
      throw new IllegalStateException(error);
    }
    reader = new GenericDatumReader<>(schema);
  }

  /** The record, or null for bytes that are none. */
  GenericRecord decode(byte[] bytes) {
    if (bytes == null || bytes.length < HEADER || bytes[0] != (byte) 0xc3 || bytes[1] != 1) return null;
    for (int i = 0; i < 8; i++) if (bytes[2 + i] != fingerprint[i]) return null;
    BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(bytes, HEADER, bytes.length - HEADER, decoders.get());
    decoders.set(decoder);
    try {
      GenericRecord record = reader.read(null, decoder);
      return decoder.isEnd() ? record : null;
    } catch (IOException | RuntimeException error) {
      return null;
    }
  }

  /** For the source: decodes at once; an event without fields is malformed. */
  Serde<Event> source() {
    return serde((topic, bytes) -> new Event(bytes, this, decode(bytes)));
  }

  /** For state stores: decoded when its fields are asked for. */
  Serde<Event> stored() {
    return serde((topic, bytes) -> bytes == null ? null : new Event(bytes, this, null));
  }

  private static Serde<Event> serde(Deserializer<Event> deserializer) {
    return Serdes.serdeFrom((topic, event) -> event == null ? null : event.bytes, deserializer);
  }
}

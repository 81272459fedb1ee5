package millrace.peer;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.message.BinaryMessageEncoder;

/** Rows of the samples topic (docs/samples-topic.md): one per impression and task, the other tasks are unknown in it. */
final class SampleWriter {
  private final Schema schema;
  private final Schema label;
  private final BinaryMessageEncoder<GenericRecord> encoder;

  SampleWriter(File schemaFile) {
    try {
      schema = new Schema.Parser().parse(schemaFile);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    label = schema.getField("labels").schema().getElementType();
    encoder = new BinaryMessageEncoder<>(GenericData.get(), schema);
  }

  byte[] row(Event impression, Options.Task task, boolean happened) {
    GenericRecord fields = impression.fields();
    GenericRecord one =
        new GenericRecordBuilder(label).set("task", task.name()).set("value", happened ? 1.0 : 0.0).build();
    long time = impression.time();
    GenericRecord row =
        new GenericRecordBuilder(schema)
            .set("id", fields.get("event_id"))
            .set("key", fields.get("impression_id"))
            .set("event_time", time)
            .set("matured_at", time + task.windowMs())
            .set("labels", List.of(one))
            .set("fields", plain(fields))
            .build();
    try {
      java.nio.ByteBuffer bytes = encoder.encode(row);
      byte[] copy = new byte[bytes.remaining()];
      bytes.get(copy);
      return copy;
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  /** The impression's fields as the sample's union has them; nested maps have no place in it. */
  private static Map<String, Object> plain(GenericRecord fields) {
    Map<String, Object> plain = new HashMap<>();
    for (Schema.Field field : fields.getSchema().getFields()) {
      Object value = fields.get(field.pos());
      if (value instanceof Integer number) plain.put(field.name(), number.longValue());
      else if (value instanceof Float number) plain.put(field.name(), number.doubleValue());
      else if (value instanceof List<?> list) {
        List<String> texts = new ArrayList<>();
        for (Object item : list) texts.add(String.valueOf(item));
        plain.put(field.name(), texts);
      } else if (!(value instanceof Map)) plain.put(field.name(), value);
    }
    return plain;
  }
}

package millrace.peer;

import java.time.Duration;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.state.WindowStoreIterator;

/** Lets the first delivery of every event through: ids are remembered for an hour of event time. */
final class Deduplicator implements FixedKeyProcessor<byte[], Event, Event> {
  private static final Duration REMEMBERED = Duration.ofHours(1);

  private final String store;
  private FixedKeyProcessorContext<byte[], Event> context;
  private WindowStore<String, byte[]> seen;

  private Deduplicator(String store) {
    this.store = store;
  }

  static FixedKeyProcessorSupplier<byte[], Event, Event> of(String topic) {
    String name = "seen-" + topic;
    return new FixedKeyProcessorSupplier<>() {
      @Override
      public FixedKeyProcessor<byte[], Event, Event> get() {
        return new Deduplicator(name);
      }

      @Override
      public Set<StoreBuilder<?>> stores() {
        return Set.of(
            Stores.windowStoreBuilder(
                Stores.persistentWindowStore(name, REMEMBERED, REMEMBERED, false),
                Serdes.String(),
                Serdes.ByteArray()));
      }
    };
  }

  @Override
  public void init(FixedKeyProcessorContext<byte[], Event> context) {
    this.context = context;
    seen = context.getStateStore(store);
  }

  @Override
  public void process(FixedKeyRecord<byte[], Event> record) {
    String id = String.valueOf(record.value().fields().get("event_id"));
    long time = record.timestamp();
    long from = Math.max(0, time - REMEMBERED.toMillis());
    try (WindowStoreIterator<byte[]> before = seen.fetch(id, from, time + REMEMBERED.toMillis())) {
      if (before.hasNext()) return;
    }
    seen.put(id, new byte[0], time);
    context.forward(record);
  }
}

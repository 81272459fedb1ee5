package millrace.peer;

import java.io.File;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.processor.TimestampExtractor;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;

/** Impressions, left-joined with the feedback of each task in that task's window: a row per impression and task. */
final class Join {
  /** Start of the year 10000, Unix ms: a time beyond it was written in another unit. */
  private static final long TIME_LIMIT = 253_402_300_800_000L;

  private final Options options;
  /** Records that were processed or dropped as malformed. */
  final AtomicLong records = new AtomicLong();
  final AtomicLong rows = new AtomicLong();

  Join(Options options) {
    this.options = options;
  }

  Topology topology() {
    StreamsBuilder builder = new StreamsBuilder();
    EventCodec impressionCodec = codec("impression");
    KStream<byte[], Event> impressions = source(builder, options.impressions(), impressionCodec);
    if (options.merged()) return merged(builder, impressions, impressionCodec).build();
    SampleWriter writer = options.samples() == null ? null : new SampleWriter(schema("sample"));
    for (Options.Task task : options.tasks()) {
      EventCodec codec = codec(task.name());
      KStream<byte[], Event> feedback = source(builder, task.topic(), codec);
      JoinWindows window = window(task.windowMs());
      StreamJoined<byte[], Event, Event> stores = stores(impressionCodec, codec);
      if (writer == null) {
        impressions
            .leftJoin(feedback, (impression, answer) -> answer != null, window, stores)
            .foreach((key, happened) -> rows.incrementAndGet());
      } else {
        impressions
            .leftJoin(feedback, (impression, answer) -> writer.row(impression, task, answer != null), window, stores)
            .to(options.samples(), Produced.with(Serdes.ByteArray(), Serdes.ByteArray()));
      }
    }
    return builder.build();
  }

  /**
   * The cheapest join that Kafka Streams can do of these events: all feedback is one stream. Its rows tell of one action each, so that
   * samples would still have to be put together from them.
   */
  private StreamsBuilder merged(
      StreamsBuilder builder, KStream<byte[], Event> impressions, EventCodec impressionCodec) {
    KStream<byte[], Event> feedback = null;
    EventCodec codec = null;
    for (Options.Task task : options.tasks()) {
      codec = codec(task.name());
      KStream<byte[], Event> one = source(builder, task.topic(), codec);
      feedback = feedback == null ? one : feedback.merge(one);
    }
    long longest = options.tasks().stream().mapToLong(Options.Task::windowMs).max().orElseThrow();
    impressions
        .leftJoin(feedback, (impression, answer) -> answer != null, window(longest), stores(impressionCodec, codec))
        .foreach((key, happened) -> rows.incrementAndGet());
    return builder;
  }

  private JoinWindows window(long windowMs) {
    return JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(windowMs), Duration.ofMillis(options.graceMs()))
        .before(Duration.ZERO);
  }

  private StreamJoined<byte[], Event, Event> stores(EventCodec left, EventCodec right) {
    StreamJoined<byte[], Event, Event> stores =
        StreamJoined.with(Serdes.ByteArray(), left.stored(), right.stored());
    if (options.inMemory()) stores = stores.withDslStoreSuppliers(BuiltInDslStoreSuppliers.IN_MEMORY);
    return options.changelog() ? stores : stores.withLoggingDisabled();
  }

  private KStream<byte[], Event> source(StreamsBuilder builder, String topic, EventCodec codec) {
    Serde<Event> serde = codec.source();
    KStream<byte[], Event> events =
        builder
            .stream(topic, Consumed.with(Serdes.ByteArray(), serde).withTimestampExtractor(eventTime()))
            .peek((key, event) -> records.incrementAndGet());
    // The bench's peer is the join alone; rows that are learned from must not be there twice.
    return options.samples() == null ? events : events.processValues(Deduplicator.of(topic));
  }

  /** The event's own time; -1, which drops the record, for what is no event. */
  private TimestampExtractor eventTime() {
    return (ConsumerRecord<Object, Object> record, long partitionTime) -> {
      long time = record.value() instanceof Event event && event.fields() != null ? event.time() : -1;
      if (time > 0 && time < TIME_LIMIT) return time;
      records.incrementAndGet();
      return -1;
    };
  }

  private EventCodec codec(String name) {
    return new EventCodec(schema(name));
  }

  private File schema(String name) {
    return options.schemas().resolve(name + ".avsc").toFile();
  }
}

package millrace.peer;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** One application over all records: a round of the bench, or a joiner until it is closed. */
final class Run implements AutoCloseable {
  private static final long GIVE_UP_MS = 300_000;

  private final Options options;
  private final Join join;
  private final KafkaStreams streams;
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private final CountDownLatch running = new CountDownLatch(1);

  private Run(Options options) {
    this.options = options;
    join = new Join(options);
    streams = new KafkaStreams(join.topology(), properties(options));
  }

  static Run start(Options options) {
    Run run = new Run(options);
    run.streams.setUncaughtExceptionHandler(
        error -> {
          run.failure.set(error);
          if (options.samples() != null) end(error);
          return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
    run.streams.setStateListener(
        (now, before) -> {
          if (now == KafkaStreams.State.RUNNING) run.running.countDown();
        });
    run.streams.start();
    return run;
  }

  /** Waits until every record was processed; the time starts with the first one, so that joining the group is not part of it. */
  String measure() throws InterruptedException {
    long deadline = System.currentTimeMillis() + GIVE_UP_MS;
    while (join.records.get() == 0) pause(deadline);
    long first = System.nanoTime();
    long already = join.records.get();
    while (join.records.get() < options.records()) pause(deadline);
    double seconds = (System.nanoTime() - first) / 1e9;
    long counted = join.records.get() - already;
    return String.format(
        java.util.Locale.ROOT, "{\"records\":%d,\"seconds\":%.4f,\"rows\":%d}", counted, seconds, join.rows.get());
  }

  @Override
  public void close() {
    streams.close(Duration.ofSeconds(30));
    // A samples run goes on from its state; a round of the bench starts anew.
    if (options.samples() == null) streams.cleanUp();
    if (failure.get() != null) throw new IllegalStateException(failure.get());
  }

  /** Nobody asks a joiner how it is: it ends. What was not committed is not read by anybody. */
  private static void end(Throwable error) {
    error.printStackTrace();
    Runtime.getRuntime().halt(1);
  }

  private void pause(long deadline) throws InterruptedException {
    TimeUnit.MILLISECONDS.sleep(1);
    if (failure.get() != null) throw new IllegalStateException(failure.get());
    if (System.currentTimeMillis() > deadline) {
      throw new IllegalStateException("processed " + join.records.get() + " of " + options.records() + " records in time");
    }
  }

  private static Properties properties(Options options) {
    boolean samples = options.samples() != null;
    Properties properties = new Properties();
    String name = samples ? "millrace-kafka-streams-join" : "bench-" + System.nanoTime();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, name);
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, options.brokers());
    properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, options.threads());
    properties.put(StreamsConfig.STATE_DIR_CONFIG, Path.of(options.state().toString()).toAbsolutePath().toString());
    properties.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    if (samples) properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    // Generous fetches: the defaults are made for many consumers, here one program reads all there is.
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10_000);
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.FETCH_MAX_BYTES_CONFIG), 64 << 20);
    return properties;
  }
}

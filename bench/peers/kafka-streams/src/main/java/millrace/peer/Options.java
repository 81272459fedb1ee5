package millrace.peer;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the command line says. */
record Options(
    String brokers,
    /** Topic of the impressions. */
    String impressions,
    List<Task> tasks,
    /** Folder with the Avro schemas of the events and of the sample. */
    Path schemas,
    long graceMs,
    int threads,
    /** Whether windows are kept in memory; else in RocksDB, which is the default of Kafka Streams. */
    boolean inMemory,
    /** Whether windows are also written to changelog topics, which is the default of Kafka Streams. */
    boolean changelog,
    /** One left join with all feedback in one stream, in the longest window; else one per task, each in its own. */
    boolean merged,
    /** Records of all topics together: a round ends when so many were processed. */
    long records,
    Path state,
    /** Topic of the joined samples; null for a peer of the bench, which only counts them. */
    String samples,
    /** The command line that this is of. */
    List<String> given) {

  /** One label: feedback on `topic` no later than `windowMs` after the impression. */
  record Task(String name, String topic, long windowMs) {}

  private static final Set<String> KNOWN =
      Set.of(
          "brokers", "impressions", "tasks", "schemas", "grace-ms", "threads", "store", "changelog", "feedback", "records", "state", "samples");

  /** `--name value` pairs; `--tasks click:clicks:30000,like:likes:120000`. */
  static Options parse(List<String> args) {
    Map<String, String> given = new HashMap<>();
    for (int i = 0; i + 1 < args.size(); i += 2) {
      String name = args.get(i).startsWith("--") ? args.get(i).substring(2) : "";
      if (!KNOWN.contains(name)) throw new IllegalArgumentException("unknown option " + args.get(i) + "; known: " + KNOWN);
      given.put(name, args.get(i + 1));
    }
    List<Task> tasks = new ArrayList<>();
    for (String task : needed(given, "tasks").split(",")) {
      String[] parts = task.split(":");
      if (parts.length != 3) throw new IllegalArgumentException("--tasks has " + task + ", expected NAME:TOPIC:WINDOW_MS");
      tasks.add(new Task(parts[0], parts[1], Long.parseLong(parts[2])));
    }
    return new Options(
        needed(given, "brokers"),
        given.getOrDefault("impressions", "impressions"),
        List.copyOf(tasks),
        Path.of(given.getOrDefault("schemas", "schemas")),
        Long.parseLong(given.getOrDefault("grace-ms", "5000")),
        Integer.parseInt(given.getOrDefault("threads", "2")),
        given.getOrDefault("store", "rocksdb").equals("memory"),
        given.getOrDefault("changelog", "yes").equals("yes"),
        given.getOrDefault("feedback", "each").equals("merged"),
        Long.parseLong(given.getOrDefault("records", "0")),
        Path.of(given.getOrDefault("state", System.getProperty("java.io.tmpdir") + "/kafka-streams-join")),
        given.get("samples"),
        List.copyOf(args));
  }

  /** These options with others behind them; the last of a name counts. */
  Options with(String more) {
    if (more.isEmpty()) return this;
    List<String> both = new ArrayList<>(given);
    both.addAll(List.of(more.split(" ")));
    return parse(both);
  }

  private static String needed(Map<String, String> given, String name) {
    String value = given.get(name);
    if (value == null) throw new IllegalArgumentException("--" + name + " is missing");
    return value;
  }
}

package millrace.peer;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Joins impressions with their feedback by Kafka Streams. As a peer of the bench it waits for lines `round [--option value ...]` and answers
 * each with a line of JSON; with `--samples TOPIC` it writes joined samples until its input ends.
 */
public final class Main {
  private Main() {}

  public static void main(String[] args) throws Exception {
    Options options = Options.parse(List.of(args));
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    if (options.samples() != null) {
      try (Run run = Run.start(options)) {
        System.out.println("{\"running\":true}");
        while (input.readLine() != null) {
          // Only the end of the input matters.
        }
      }
      return;
    }
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      if (!line.startsWith("round")) throw new IllegalArgumentException("expected 'round', got '" + line + "'");
      try (Run run = Run.start(options.with(line.substring("round".length()).trim()))) {
        System.out.println(run.measure());
      }
    }
  }
}

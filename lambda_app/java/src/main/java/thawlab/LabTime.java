package thawlab;

import java.time.Duration;

/** Lab time: a scenario's six minutes pass in some seconds, and a preset's limits shrink with them. */
public final class LabTime {
  /** Lab seconds in a real second; 1 outside the laboratory. */
  public static final double SPEED =
      Double.parseDouble(System.getenv().getOrDefault("THAWLAB_SPEED", "1"));

  private LabTime() {}

  /** The real time that so many seconds of lab time take: outside the laboratory, the same. */
  public static Duration seconds(double duration) {
    return Duration.ofNanos(Math.round(duration / SPEED * 1e9));
  }

  /** The same in milliseconds. */
  public static long millis(double duration) {
    return seconds(duration).toMillis();
  }

  /** The same for what counts in whole seconds: one at least. */
  public static String wholeSeconds(double duration) {
    return Long.toString(Math.max(1, Math.round(duration / SPEED)));
  }
}

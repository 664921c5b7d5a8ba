package thawlab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;

/** The function's clocks, which a laboratory lets jump, and the journal's, which does not. */
final class Clock {
  // In the clock page (lambda_app/shims/time/shared.h): the nanoseconds by which the function's monotonic clock is
  // ahead, and how many processes have clocks that the page moves.
  private static final int OFFSET = 16;
  private static final int ATTACHED = 64;

  /** Null if no laboratory moves the clocks: a program that took no notice of the page has the machine's. */
  private static final ByteBuffer PAGE = page(System.getenv("THAWLAB_CLOCK"));

  private Clock() {}

  /** Both clocks as the function sees them, in seconds. */
  record Reading(double monotonic, double wall) {}

  static Reading read() {
    return new Reading(System.nanoTime() / 1e9, System.currentTimeMillis() / 1e3);
  }

  /** Seconds of CLOCK_MONOTONIC as the machine has it. */
  static double now() {
    for (long before = offset(); ; ) {
      long seen = System.nanoTime();
      long after = offset();
      if (after == before) {
        return (seen - after) / 1e9;
      }
      before = after; // a jump came between
    }
  }

  private static long offset() {
    return PAGE == null ? 0 : PAGE.getLong(OFFSET);
  }

  private static ByteBuffer page(String path) {
    if (path == null) {
      return null;
    }
    try (var file = FileChannel.open(Path.of(path))) {
      ByteBuffer page = file.map(MapMode.READ_ONLY, 0, file.size()).order(ByteOrder.LITTLE_ENDIAN);
      return page.getInt(ATTACHED) == 0 ? null : page;
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}

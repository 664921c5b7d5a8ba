package thawlab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.List;

/**
 * The idle limit that the JDK's client has of itself, shortened with lab time.
 *
 * <p>It is a private constant that is read from a system property once. Asking for it in this JVM would settle it, so
 * another one is asked. Java 17 has 20 minutes, Java 21 half a minute.
 */
public final class OwnLimit {
  private static final String INTERNAL = "jdk.internal.net.http";
  private static final String PROPERTY = "jdk.httpclient.keepalive.timeout";

  private OwnLimit() {}

  /** Before the first client is made. Does nothing outside the laboratory. */
  public static void shorten() {
    if (LabTime.SPEED == 1) {
      return;
    }
    try {
      String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
      String opened = "--add-opens=java.net.http/" + INTERNAL + "=ALL-UNNAMED";
      String jars = System.getProperty("java.class.path");
      Process asked =
          new ProcessBuilder(java, "-Xshare:auto", "-XX:-UsePerfData", opened, "-cp", jars, OwnLimit.class.getName())
              .redirectErrorStream(true)
              .start();
      String said = new String(asked.getInputStream().readAllBytes()).strip();
      if (asked.waitFor() != 0) {
        throw new IllegalStateException("the idle limit of java.net.http cannot be read: " + said);
      }
      System.setProperty(PROPERTY, LabTime.wholeSeconds(Double.parseDouble(said)));
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }

  /** Prints it. */
  public static void main(String[] arguments) throws ReflectiveOperationException {
    for (String type : List.of("ConnectionPool", "HttpClientImpl")) {
      for (Field field : Class.forName(INTERNAL + "." + type).getDeclaredFields()) {
        if (List.of("KEEP_ALIVE", "KEEP_ALIVE_TIMEOUT").contains(field.getName())) {
          field.setAccessible(true);
          System.out.println(field.getLong(null));
          return;
        }
      }
    }
    throw new NoSuchFieldException("KEEP_ALIVE");
  }
}

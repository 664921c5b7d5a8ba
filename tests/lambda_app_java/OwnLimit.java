import java.lang.reflect.Field;
import java.util.List;

/** Prints the idle limit that the JDK's own client has, in seconds: a private constant of java.net.http. */
public final class OwnLimit {
  private static final String INTERNAL = "jdk.internal.net.http";

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

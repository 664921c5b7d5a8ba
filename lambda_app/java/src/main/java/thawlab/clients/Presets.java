package thawlab.clients;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.stream.Collectors;

/** Finds a preset's class by its name in scenarios: `close_after` is CloseAfter. And reports what was really found. */
final class Presets {
  private Presets() {}

  static <P> P make(Class<P> kind, String folder, String name) {
    String type =
        Arrays.stream(name.split("_"))
            .map(word -> word.isEmpty() ? "" : Character.toUpperCase(word.charAt(0)) + word.substring(1))
            .collect(Collectors.joining());
    try {
      return kind.cast(Class.forName("thawlab.presets." + folder + "." + type).getConstructor().newInstance());
    } catch (ClassNotFoundException missing) {
      throw new IllegalArgumentException("there is no preset " + name + " in lambda_app/java/.../presets/" + folder);
    } catch (ReflectiveOperationException error) {
      throw new IllegalStateException("the preset " + name + " cannot be made", error);
    }
  }

  /** Asked of the object's class: its source lies beside it in the jar. */
  static Client.Loaded loaded(Object preset) {
    Class<?> type = preset.getClass();
    String name = type.getSimpleName().replaceAll("(?<=.)(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
    try (InputStream source = type.getResourceAsStream(type.getSimpleName() + ".java")) {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(source.readAllBytes());
      return new Client.Loaded(name, HexFormat.of().formatHex(hash));
    } catch (IOException | NoSuchAlgorithmException error) {
      throw new IllegalStateException("the source of " + type.getName() + " cannot be read", error);
    }
  }
}

package thawlab.clients;

import java.util.Arrays;
import java.util.stream.Collectors;

/** Finds a preset's class by its name in scenarios: `close_after` is CloseAfter. */
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
}

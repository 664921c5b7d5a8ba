package thawlab.clients;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.stream.Collectors;

/** Finds a preset's class by its name in scenarios: `close_after` is CloseAfter. And reports what was really found. */
final class Presets {
  private Presets() {}

  /** A preset as the function uses it, and which one it really is. */
  record Found<P>(P preset, Client.Loaded loaded) {}

  /**
   * Makes a preset. Its class knows nothing of the function, so it can be pasted as it is: a method of `kind` is the
   * class's own of the same name, else the default of `kind`.
   */
  static <P> Found<P> make(Class<P> kind, String folder, String name) {
    String type =
        Arrays.stream(name.split("_"))
            .map(word -> word.isEmpty() ? "" : Character.toUpperCase(word.charAt(0)) + word.substring(1))
            .collect(Collectors.joining());
    try {
      Object made = Class.forName("thawlab.presets." + folder + "." + type).getConstructor().newInstance();
      Object preset = Proxy.newProxyInstance(kind.getClassLoader(), new Class<?>[] {kind}, methodsOf(made));
      return new Found<>(kind.cast(preset), loaded(made.getClass()));
    } catch (ClassNotFoundException missing) {
      throw new IllegalArgumentException("there is no preset " + name + " in lambda_app/java/.../presets/" + folder);
    } catch (ReflectiveOperationException error) {
      throw new IllegalStateException("the preset " + name + " cannot be made", error);
    }
  }

  private static InvocationHandler methodsOf(Object made) {
    return (proxy, method, arguments) -> {
      try {
        return made.getClass().getMethod(method.getName(), method.getParameterTypes()).invoke(made, arguments);
      } catch (NoSuchMethodException missing) {
        return InvocationHandler.invokeDefault(proxy, method, arguments);
      } catch (InvocationTargetException error) {
        throw error.getCause();
      }
    };
  }

  /** Asked of the object's class: its source lies beside it in the jar. */
  private static Client.Loaded loaded(Class<?> type) {
    String name = type.getSimpleName().replaceAll("(?<=.)(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
    try (InputStream source = type.getResourceAsStream(type.getSimpleName() + ".java")) {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(source.readAllBytes());
      return new Client.Loaded(name, HexFormat.of().formatHex(hash));
    } catch (IOException | NoSuchAlgorithmException error) {
      throw new IllegalStateException("the source of " + type.getName() + " cannot be read", error);
    }
  }
}

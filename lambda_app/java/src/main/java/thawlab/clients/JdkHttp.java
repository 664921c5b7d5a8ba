package thawlab.clients;

import java.lang.ref.WeakReference;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscribers;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** The JDK's own client. It reports nothing about its connections. */
public final class JdkHttp implements Client {
  /** What a preset says. */
  public interface Preset {
    HttpClient client();

    /** What the library leaves to each request. */
    default HttpRequest.Builder request(URI uri) {
      return HttpRequest.newBuilder(uri);
    }

    default <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> body) throws Exception {
      return client().send(request, body);
    }
  }

  private static final String SETTINGS = "jdk.httpclient.";
  private static final Map<String, String> BEFORE = settings();

  /** Collections until nothing on its way through the client's own threads refers to it any more: one or two. */
  private static final int COLLECTIONS = 20;

  /** The settings with which this JVM made its first client. */
  private static Map<String, String> inForce;

  private final Loaded loaded;
  private Preset preset;

  public JdkHttp(String name) {
    set(BEFORE);
    var found = Presets.make(Preset.class, "jdkhttp", name);
    loaded = found.loaded();
    preset = found.preset();
    preset.client();
    Map<String, String> wanted = settings();
    inForce = Objects.requireNonNullElse(inForce, wanted);
    if (!wanted.equals(inForce)) {
      set(inForce);
      // The pool is the JDK's own and has no other way in: its limits are static fields.
      throw new IllegalStateException(
          "the JDK reads " + SETTINGS + "* once in a JVM, and this one has " + inForce + ": the preset " + name
              + " (" + wanted + ") needs a sandbox of its own, started with THAWLAB_PRESET=" + name);
    }
  }

  private static Map<String, String> settings() {
    return System.getProperties().stringPropertyNames().stream()
        .filter(key -> key.startsWith(SETTINGS))
        .collect(Collectors.toUnmodifiableMap(key -> key, System::getProperty));
  }

  private static void set(Map<String, String> settings) {
    settings().keySet().forEach(System::clearProperty);
    settings.forEach(System::setProperty);
  }

  @Override
  public int send(Call call) throws Exception {
    Request request = call.request;
    HttpRequest.Builder built = preset.request(URI.create(request.url())).method(request.method(), publisher(request));
    if (request.json() != null) {
      built.header("Content-Type", "application/json");
    }
    request.headers().forEach(header -> built.header(header[0], header[1]));
    HttpResponse.BodyHandler<Void> body =
        head -> {
          call.answerBegan = true;
          return BodySubscribers.discarding();
        };
    return preset.send(built.build(), body).statusCode();
  }

  private static BodyPublisher publisher(Request request) {
    if (request.json() != null) {
      return BodyPublishers.ofString(request.json());
    }
    return request.body().length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(request.body());
  }

  /** A client can be closed since Java 21 only, so no preset does it. */
  @Override
  public void finish() {}

  @Override
  public Loaded loaded() {
    return loaded;
  }

  @Override
  public String version() {
    return "java.net.http " + System.getProperty("java.version");
  }

  @Override
  public void close() {
    if (preset.client() instanceof AutoCloseable closeable) { // since Java 21
      try {
        closeable.close();
      } catch (Exception error) {
        throw new IllegalStateException(error);
      }
      return;
    }
    // Before, a client closes its connections within three seconds after the garbage collector found it unused.
    var unused = new WeakReference<>(preset.client());
    preset = null;
    for (int tries = 0; unused.get() != null && tries < COLLECTIONS; tries++) {
      System.gc();
    }
  }
}

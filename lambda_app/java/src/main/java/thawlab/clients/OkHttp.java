package thawlab.clients;

import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;
import okhttp3.Connection;
import okhttp3.EventListener;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.RequestBody;

/** OkHttp. */
public final class OkHttp implements Client {
  /** What a preset says. */
  public interface Preset {
    OkHttpClient client();

    default void finish() {}
  }

  private static final MediaType JSON = MediaType.get("application/json");

  private final Preset preset;
  private final Loaded loaded;
  private final Set<Connection> used = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

  public OkHttp(String name) {
    var found = Presets.make(Preset.class, "okhttp", name);
    preset = found.preset();
    loaded = found.loaded();
  }

  /** Told of each connection that a request takes, also for a retry that the library makes by itself. */
  private final class Observer extends EventListener {
    private final Call call;

    Observer(Call call) {
      this.call = call;
    }

    @Override
    public void connectionAcquired(okhttp3.Call of, Connection connection) {
      call.attempts.add(new Attempt(connection.socket().getLocalPort(), !used.add(connection)));
    }
  }

  @Override
  public int send(Call call) throws Exception {
    Request request = call.request;
    var built = new okhttp3.Request.Builder().url(request.url());
    built.method(request.method(), body(request));
    request.headers().forEach(header -> built.header(header[0], header[1]));
    // A client made from another one shares its pool.
    OkHttpClient client = preset.client().newBuilder().eventListenerFactory(of -> new Observer(call)).build();
    try (var response = client.newCall(built.build()).execute()) {
      call.answerBegan = true;
      response.body().bytes();
      return response.code();
    }
  }

  private static RequestBody body(Request request) {
    if (request.json() != null) {
      return RequestBody.create(request.json(), JSON);
    }
    // For the library a POST has a body, if an empty one.
    boolean bodiless = request.body().length == 0 && !Set.of("POST", "PUT", "PATCH").contains(request.method());
    return bodiless ? null : RequestBody.create(request.body());
  }

  @Override
  public void finish() {
    preset.finish();
  }

  @Override
  public Loaded loaded() {
    return loaded;
  }

  @Override
  public String version() {
    return "okhttp " + okhttp3.OkHttp.VERSION;
  }

  @Override
  public void close() {
    preset.client().connectionPool().evictAll();
    preset.client().dispatcher().executorService().shutdown();
  }
}

/*
 * no_keepalive: every request on a connection of its own. The diagnosis of the story.
 *
 * If the resets stop with this, they came from reused connections. A pool that keeps
 * no idle connection is how OkHttp says it. It costs a handshake a request.
 */
package thawlab.presets.okhttp;

import java.util.concurrent.TimeUnit;
import okhttp3.ConnectionPool;
import okhttp3.OkHttpClient;
import thawlab.clients.OkHttp;

public final class NoKeepalive implements OkHttp.Preset {
  private final OkHttpClient client =
      new OkHttpClient.Builder()
          .connectionPool(new ConnectionPool(0, 1, TimeUnit.SECONDS))
          .build();

  @Override
  public OkHttpClient client() {
    return client;
  }
}

/*
 * seed: a pool that never forgets a connection. The story's mistake.
 *
 * A client made once, and "keep it as long as possible". OkHttp's own retry is left
 * as it is: on. It hides a stale connection, and may do a POST's work twice.
 */
package thawlab.presets.okhttp;

import java.util.concurrent.TimeUnit;
import okhttp3.ConnectionPool;
import okhttp3.OkHttpClient;
import thawlab.clients.OkHttp;

public final class Seed implements OkHttp.Preset {
  private final OkHttpClient client =
      new OkHttpClient.Builder()
          .connectionPool(new ConnectionPool(5, 365, TimeUnit.DAYS))
          .build();

  @Override
  public OkHttpClient client() {
    return client;
  }
}

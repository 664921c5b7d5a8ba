/*
 * no_retry: like seed, with OkHttp's own retry switched off. What the retry hides.
 *
 * People switch it off because it may do a POST's work twice. Then every stale
 * connection that looks healthy is an error.
 */
package thawlab.presets.okhttp;

import java.util.concurrent.TimeUnit;
import okhttp3.ConnectionPool;
import okhttp3.OkHttpClient;
import thawlab.clients.OkHttp;

public final class NoRetry implements OkHttp.Preset {
  private final OkHttpClient client =
      new OkHttpClient.Builder()
          .connectionPool(new ConnectionPool(5, 365, TimeUnit.DAYS))
          .retryOnConnectionFailure(false)
          .build();

  @Override
  public OkHttpClient client() {
    return client;
  }
}

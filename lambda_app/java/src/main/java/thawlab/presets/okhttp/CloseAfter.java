/*
 * close_after: no connection survives the handler. Call `finish` last.
 *
 * It must be done before the handler returns: the runtime asks for the next event
 * then, and the sandbox may be frozen. The client itself stays and can go on.
 */
package thawlab.presets.okhttp;

import java.util.concurrent.TimeUnit;
import okhttp3.ConnectionPool;
import okhttp3.OkHttpClient;
import thawlab.clients.OkHttp;

public final class CloseAfter implements OkHttp.Preset {
  private final OkHttpClient client =
      new OkHttpClient.Builder()
          .connectionPool(new ConnectionPool(5, 365, TimeUnit.DAYS))
          .build();

  @Override
  public OkHttpClient client() {
    return client;
  }

  @Override
  public void finish() {
    client.connectionPool().evictAll();
  }
}

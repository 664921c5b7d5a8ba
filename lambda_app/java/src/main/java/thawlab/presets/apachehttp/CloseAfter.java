/*
 * close_after: no connection survives the handler. Call `finish` last.
 *
 * It must be done before the handler returns: the runtime asks for the next event
 * then, and the sandbox may be frozen. The client itself stays and can go on.
 */
package thawlab.presets.apachehttp;

import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.core5.util.TimeValue;
import thawlab.clients.ApacheHttp;

public final class CloseAfter implements ApacheHttp.Preset {
  private final PoolingHttpClientConnectionManager pool =
      new PoolingHttpClientConnectionManager();
  private final CloseableHttpClient client =
      HttpClients.custom()
          .setConnectionManager(pool)
          .setKeepAliveStrategy((response, context) -> TimeValue.NEG_ONE_MILLISECOND)
          .build();

  @Override
  public CloseableHttpClient client() {
    return client;
  }

  @Override
  public void finish() {
    pool.closeIdle(TimeValue.ZERO_MILLISECONDS);
  }
}

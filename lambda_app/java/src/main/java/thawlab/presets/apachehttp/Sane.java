/*
 * sane: the pool forgets a connection well before the upstream does. The fix.
 *
 * The idle time is looked at when a connection is taken from the pool, so a freeze
 * does not get in the way, and no hint of a server can lengthen it. There is no limit
 * for a request as a whole: the response timeout is the longest silence.
 */
package thawlab.presets.apachehttp;

import static thawlab.LabTime.millis; // outside the lab: 60 is 60

import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.util.Timeout;
import thawlab.clients.ApacheHttp;

public final class Sane implements ApacheHttp.Preset {
  private final PoolingHttpClientConnectionManager pool =
      PoolingHttpClientConnectionManagerBuilder.create()
          .setMaxConnTotal(20)
          .setMaxConnPerRoute(10)
          .setDefaultConnectionConfig(
              ConnectionConfig.custom()
                  .setIdleTimeout(Timeout.ofMilliseconds(millis(60)))
                  .setConnectTimeout(Timeout.ofMilliseconds(millis(150)))
                  .build())
          .build();
  private final CloseableHttpClient client =
      HttpClients.custom()
          .setConnectionManager(pool)
          .setDefaultRequestConfig(
              RequestConfig.custom()
                  .setConnectionRequestTimeout(Timeout.ofMilliseconds(millis(150)))
                  .setResponseTimeout(Timeout.ofMilliseconds(millis(300)))
                  .build())
          .build();

  @Override
  public CloseableHttpClient client() {
    return client;
  }
}

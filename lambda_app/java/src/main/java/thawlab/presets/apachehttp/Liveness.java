/*
 * liveness: like seed, with the library's look before each use.
 *
 * It reads from the socket for a millisecond: an end of file or a reset that has
 * arrived is found. A close that was lost on the way leaves nothing to find.
 */
package thawlab.presets.apachehttp;

import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.util.TimeValue;
import thawlab.clients.ApacheHttp;

public final class Liveness implements ApacheHttp.Preset {
  private final CloseableHttpClient client =
      HttpClients.custom()
          .setKeepAliveStrategy((response, context) -> TimeValue.NEG_ONE_MILLISECOND)
          .setConnectionManager(
              PoolingHttpClientConnectionManagerBuilder.create()
                  .setDefaultConnectionConfig(
                      ConnectionConfig.custom()
                          .setValidateAfterInactivity(TimeValue.ZERO_MILLISECONDS)
                          .build())
                  .build())
          .build();

  @Override
  public CloseableHttpClient client() {
    return client;
  }
}

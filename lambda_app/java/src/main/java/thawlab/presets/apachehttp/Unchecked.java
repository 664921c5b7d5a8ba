/*
 * unchecked: like seed, without the library's look before use.
 *
 * The look costs a millisecond, so it is switched off where latency counts. Then a
 * close that has arrived fails the next request too.
 */
package thawlab.presets.apachehttp;

import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.util.TimeValue;
import thawlab.clients.ApacheHttp;

public final class Unchecked implements ApacheHttp.Preset {
  private final CloseableHttpClient client =
      HttpClients.custom()
          .setKeepAliveStrategy((response, context) -> TimeValue.NEG_ONE_MILLISECOND)
          .setConnectionManager(
              PoolingHttpClientConnectionManagerBuilder.create()
                  .setDefaultConnectionConfig(
                      ConnectionConfig.custom()
                          .setValidateAfterInactivity(TimeValue.NEG_ONE_MILLISECOND)
                          .build())
                  .build())
          .build();

  @Override
  public CloseableHttpClient client() {
    return client;
  }
}

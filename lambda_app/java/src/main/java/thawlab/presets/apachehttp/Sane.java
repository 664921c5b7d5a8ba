/*
 * sane: the pool forgets a connection after 50 s, well before the upstream does.
 *
 * The idle time is looked at when a connection is taken from the pool, so a freeze
 * does not get in the way, and no hint of a server can lengthen it. There is no limit
 * for a request as a whole: the response timeout is the longest silence.
 */
package thawlab.presets.apachehttp;

import java.io.IOException;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.util.Timeout;

public final class Sane {
  private final PoolingHttpClientConnectionManager pool =
      PoolingHttpClientConnectionManagerBuilder.create()
          .setMaxConnTotal(20)
          .setMaxConnPerRoute(10)
          .setDefaultConnectionConfig(
              ConnectionConfig.custom()
                  .setIdleTimeout(Timeout.ofSeconds(50))
                  .setConnectTimeout(Timeout.ofSeconds(5))
                  .build())
          .build();
  private final CloseableHttpClient client =
      HttpClients.custom()
          .setConnectionManager(pool)
          .setDefaultRequestConfig(
              RequestConfig.custom()
                  .setConnectionRequestTimeout(Timeout.ofSeconds(5))
                  .setResponseTimeout(Timeout.ofSeconds(30))
                  .build())
          .build();

  public CloseableHttpClient client() {
    return client;
  }

  public static void main(String[] args) throws IOException {
    var preset = new Sane();
    for (int i = 0; i < 2; i++) {
      var request = new HttpGet(args[0]);
      System.out.println(preset.client().execute(request, HttpResponse::getCode));
    }
  }
}

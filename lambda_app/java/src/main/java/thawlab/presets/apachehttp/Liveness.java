/*
 * liveness: like seed, with the library's look before each use.
 *
 * It reads from the socket for a millisecond: an end of file or a reset that has
 * arrived is found. A close that was lost on the way leaves nothing to find.
 */
package thawlab.presets.apachehttp;

import java.io.IOException;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.util.TimeValue;

public final class Liveness {
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

  public CloseableHttpClient client() {
    return client;
  }

  public static void main(String[] args) throws IOException {
    var preset = new Liveness();
    for (int i = 0; i < 2; i++) {
      var request = new HttpGet(args[0]);
      System.out.println(preset.client().execute(request, HttpResponse::getCode));
    }
  }
}

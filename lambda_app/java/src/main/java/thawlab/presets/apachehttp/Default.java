/*
 * default: what HttpClient 5 makes of itself.
 *
 * A connection is kept for three minutes, or for as long as the server's Keep-Alive
 * header says; what was unused for two seconds is looked at before use; what is
 * idempotent is tried once more. Outside the lab this file is
 * `HttpClients.createDefault()`: here the limit is read, to shrink with lab time.
 */
package thawlab.presets.apachehttp;

import static thawlab.LabTime.SPEED; // outside the lab: 1

import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.util.TimeValue;
import thawlab.clients.ApacheHttp;

public final class Default implements ApacheHttp.Preset {
  private final CloseableHttpClient client =
      HttpClients.custom()
          .setDefaultRequestConfig(
              RequestConfig.custom().setConnectionKeepAlive(ownLimit()).build())
          .build();

  private static TimeValue ownLimit() {
    long millis = RequestConfig.DEFAULT.getConnectionKeepAlive().toMilliseconds();
    return TimeValue.ofMilliseconds((long) (millis / SPEED));
  }

  @Override
  public CloseableHttpClient client() {
    return client;
  }
}

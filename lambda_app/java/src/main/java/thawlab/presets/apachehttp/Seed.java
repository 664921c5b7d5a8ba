/*
 * seed: a pool that never forgets a connection. The story's mistake.
 *
 * A strategy that says "for ever". The library's own look at a connection that was
 * unused for two seconds stays: it finds a close that has arrived, and no other.
 */
package thawlab.presets.apachehttp;

import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.util.TimeValue;
import thawlab.clients.ApacheHttp;

public final class Seed implements ApacheHttp.Preset {
  private final CloseableHttpClient client =
      HttpClients.custom()
          .setKeepAliveStrategy((response, context) -> TimeValue.NEG_ONE_MILLISECOND)
          .build();

  @Override
  public CloseableHttpClient client() {
    return client;
  }
}

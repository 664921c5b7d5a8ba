/*
 * no_keepalive: every request on a connection of its own. The diagnosis of the story.
 *
 * If the resets stop with this, they came from reused connections. It costs a
 * handshake a request.
 */
package thawlab.presets.apachehttp;

import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import thawlab.clients.ApacheHttp;

public final class NoKeepalive implements ApacheHttp.Preset {
  private final CloseableHttpClient client =
      HttpClients.custom()
          .setConnectionReuseStrategy((request, response, context) -> false)
          .build();

  @Override
  public CloseableHttpClient client() {
    return client;
  }
}

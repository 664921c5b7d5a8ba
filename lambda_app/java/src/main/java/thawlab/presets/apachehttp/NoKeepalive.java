/*
 * no_keepalive: every request on a connection of its own. The diagnosis of the story.
 *
 * If the resets stop with this, they came from reused connections. It costs a
 * handshake a request.
 */
package thawlab.presets.apachehttp;

import java.io.IOException;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.HttpResponse;

public final class NoKeepalive {
  private final CloseableHttpClient client =
      HttpClients.custom()
          .setConnectionReuseStrategy((request, response, context) -> false)
          .build();

  public CloseableHttpClient client() {
    return client;
  }

  public static void main(String[] args) throws IOException {
    var preset = new NoKeepalive();
    for (int i = 0; i < 2; i++) {
      var request = new HttpGet(args[0]);
      System.out.println(preset.client().execute(request, HttpResponse::getCode));
    }
  }
}

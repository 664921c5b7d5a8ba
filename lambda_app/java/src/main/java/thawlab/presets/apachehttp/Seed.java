/*
 * seed: a pool that never forgets a connection. The story's mistake.
 *
 * A strategy that says "for ever". The library's own look at a connection that was
 * unused for two seconds stays: it finds a close that has arrived, and no other.
 */
package thawlab.presets.apachehttp;

import java.io.IOException;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.util.TimeValue;

public final class Seed {
  private final CloseableHttpClient client =
      HttpClients.custom()
          .setKeepAliveStrategy((response, context) -> TimeValue.NEG_ONE_MILLISECOND)
          .build();

  public CloseableHttpClient client() {
    return client;
  }

  public static void main(String[] args) throws IOException {
    var preset = new Seed();
    for (int i = 0; i < 2; i++) {
      var request = new HttpGet(args[0]);
      System.out.println(preset.client().execute(request, HttpResponse::getCode));
    }
  }
}

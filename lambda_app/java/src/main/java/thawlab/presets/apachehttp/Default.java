/*
 * default: what HttpClient 5 makes of itself.
 *
 * A connection is kept for three minutes, or for as long as the server's Keep-Alive
 * header says; what was unused for two seconds is looked at before use; what is
 * idempotent is tried once more.
 */
package thawlab.presets.apachehttp;

import java.io.IOException;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.HttpResponse;

public final class Default {
  private final CloseableHttpClient client = HttpClients.createDefault();

  public CloseableHttpClient client() {
    return client;
  }

  public static void main(String[] args) throws IOException {
    var preset = new Default();
    for (int i = 0; i < 2; i++) {
      var request = new HttpGet(args[0]);
      System.out.println(preset.client().execute(request, HttpResponse::getCode));
    }
  }
}

/*
 * default: what the JDK makes of itself.
 *
 * A connection is kept for 30 seconds since Java 20, for 20 minutes before, and a
 * thread closes what is older. Only GET and HEAD are tried again. There is no timeout.
 */
package thawlab.presets.jdkhttp;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

public final class Default {
  private final HttpClient client = HttpClient.newHttpClient();

  public HttpClient client() {
    return client;
  }

  public static void main(String[] args) throws Exception {
    var preset = new Default();
    for (int i = 0; i < 2; i++) {
      var request = HttpRequest.newBuilder(URI.create(args[0])).build();
      var answer = preset.client().send(request, BodyHandlers.discarding());
      System.out.println(answer.statusCode());
    }
  }
}

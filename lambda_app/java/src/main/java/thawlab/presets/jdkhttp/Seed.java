/*
 * seed: a pool that never forgets a connection. The story's mistake.
 *
 * The limit is a system property, in whole seconds. The JDK reads it once, when a JVM
 * makes its first client: on a command line it would be
 * `-Djdk.httpclient.keepalive.timeout=2147483647`.
 */
package thawlab.presets.jdkhttp;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

public final class Seed {
  private final HttpClient client;

  public Seed() {
    System.setProperty("jdk.httpclient.keepalive.timeout", "2147483647");
    client = HttpClient.newHttpClient();
  }

  public HttpClient client() {
    return client;
  }

  public static void main(String[] args) throws Exception {
    var preset = new Seed();
    for (int i = 0; i < 2; i++) {
      var request = HttpRequest.newBuilder(URI.create(args[0])).build();
      var answer = preset.client().send(request, BodyHandlers.discarding());
      System.out.println(answer.statusCode());
    }
  }
}

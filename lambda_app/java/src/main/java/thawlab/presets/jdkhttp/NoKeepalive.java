/*
 * no_keepalive: every request on a connection of its own. The diagnosis of the story.
 *
 * If the resets stop with this, they came from reused connections. The JDK offers no
 * switch: it keeps this header to itself unless the JVM is told to let it pass, and the
 * header belongs to HTTP/1.1. It costs a handshake a request.
 */
package thawlab.presets.jdkhttp;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

public final class NoKeepalive {
  private final HttpClient client;

  public NoKeepalive() {
    System.setProperty("jdk.httpclient.allowRestrictedHeaders", "connection");
    client = HttpClient.newBuilder().version(Version.HTTP_1_1).build();
  }

  public HttpClient client() {
    return client;
  }

  public HttpRequest.Builder request(URI uri) {
    return HttpRequest.newBuilder(uri).header("Connection", "close");
  }

  public static void main(String[] args) throws Exception {
    var preset = new NoKeepalive();
    for (int i = 0; i < 2; i++) {
      var request = preset.request(URI.create(args[0])).build();
      var answer = preset.client().send(request, BodyHandlers.discarding());
      System.out.println(answer.statusCode());
    }
  }
}

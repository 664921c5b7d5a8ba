/*
 * retry: the library's own retry, for POST too.
 *
 * By itself it tries GET and HEAD again. The property is the JVM's, read once, and
 * makes no difference between a POST with an idempotency key and one without: it is for
 * a function whose every request may be made twice.
 */
package thawlab.presets.jdkhttp;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

public final class Retry {
  private final HttpClient client;

  public Retry() {
    System.setProperty("jdk.httpclient.keepalive.timeout", "2147483647");
    System.setProperty("jdk.httpclient.enableAllMethodRetry", "true");
    client = HttpClient.newHttpClient();
  }

  public HttpClient client() {
    return client;
  }

  public static void main(String[] args) throws Exception {
    var preset = new Retry();
    for (int i = 0; i < 2; i++) {
      var request = HttpRequest.newBuilder(URI.create(args[0])).build();
      var answer = preset.client().send(request, BodyHandlers.discarding());
      System.out.println(answer.statusCode());
    }
  }
}

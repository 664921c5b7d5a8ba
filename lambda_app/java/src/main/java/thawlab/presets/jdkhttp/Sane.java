/*
 * sane: the pool forgets a connection after 50 s, well before the upstream does.
 *
 * The JDK's limits are the JVM's, read once, when it makes its first client: on a
 * command line, `-Djdk.httpclient.keepalive.timeout=50`. They are a thread's work:
 * nothing looks at the age of a connection when it is taken, and after a thaw the
 * thread races the event. HttpRequest's own timeout ends with the answer's head.
 */
package thawlab.presets.jdkhttp;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

public final class Sane {
  private final HttpClient client;

  public Sane() {
    System.setProperty("jdk.httpclient.keepalive.timeout", "50");
    System.setProperty("jdk.httpclient.connectionPoolSize", "20");
    client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
  }

  public HttpClient client() {
    return client;
  }

  public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> body)
      throws Exception {
    var answer = client.sendAsync(request, body);
    try {
      return answer.get(30, TimeUnit.SECONDS);
    } catch (TimeoutException late) {
      answer.cancel(true);
      throw late;
    }
  }

  public static void main(String[] args) throws Exception {
    var preset = new Sane();
    for (int i = 0; i < 2; i++) {
      var request = HttpRequest.newBuilder(URI.create(args[0])).build();
      var answer = preset.send(request, BodyHandlers.discarding());
      System.out.println(answer.statusCode());
    }
  }
}

/*
 * sane: the pool forgets a connection well before the upstream does.
 *
 * The JDK's limits are the JVM's, read once, when it makes its first client: on a
 * command line, `-Djdk.httpclient.keepalive.timeout=60`. They are a thread's work:
 * nothing looks at the age of a connection when it is taken, and after a thaw the
 * thread races the event. HttpRequest's own timeout ends with the answer's head.
 */
package thawlab.presets.jdkhttp;

import static thawlab.LabTime.millis; // outside the lab: 60 is 60
import static thawlab.LabTime.seconds;
import static thawlab.LabTime.wholeSeconds;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import thawlab.clients.JdkHttp;

public final class Sane implements JdkHttp.Preset {
  private final HttpClient client;

  public Sane() {
    System.setProperty("jdk.httpclient.keepalive.timeout", wholeSeconds(60));
    System.setProperty("jdk.httpclient.connectionPoolSize", "20");
    client = HttpClient.newBuilder().connectTimeout(seconds(150)).build();
  }

  @Override
  public HttpClient client() {
    return client;
  }

  @Override
  public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> body)
      throws Exception {
    var answer = client.sendAsync(request, body);
    try {
      return answer.get(millis(300), TimeUnit.MILLISECONDS);
    } catch (TimeoutException late) {
      answer.cancel(true);
      throw late;
    }
  }
}

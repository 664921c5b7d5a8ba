/*
 * sane: the pool forgets a connection well before the upstream does.
 *
 * The JDK's limits are a thread's work: nothing looks at the age of a connection when
 * it is taken. They are the JVM's, read once, when it makes its first client: on a
 * command line, `-Djdk.httpclient.keepalive.timeout=60`. At most 20 connections idle.
 */
package thawlab.presets.jdkhttp;

import static thawlab.LabTime.seconds; // outside the lab: 60 is 60
import static thawlab.LabTime.wholeSeconds;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
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
  public HttpRequest.Builder request(URI uri) {
    return HttpRequest.newBuilder(uri).timeout(seconds(300));
  }
}

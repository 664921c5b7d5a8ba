/*
 * retry: the library's own retry, for POST too.
 *
 * By itself it tries GET and HEAD again. The property is the JVM's, read once, and
 * makes no difference between a POST with an idempotency key and one without: it is for
 * a function whose every request may be made twice.
 */
package thawlab.presets.jdkhttp;

import java.net.http.HttpClient;
import thawlab.clients.JdkHttp;

public final class Retry implements JdkHttp.Preset {
  private final HttpClient client;

  public Retry() {
    System.setProperty("jdk.httpclient.keepalive.timeout", Seed.FOR_EVER);
    System.setProperty("jdk.httpclient.enableAllMethodRetry", "true");
    client = HttpClient.newHttpClient();
  }

  @Override
  public HttpClient client() {
    return client;
  }
}

/*
 * seed: a pool that never forgets a connection. The story's mistake.
 *
 * The limit is a system property, in whole seconds. The JDK reads it once, when a JVM
 * makes its first client: on a command line it would be
 * `-Djdk.httpclient.keepalive.timeout=2147483647`.
 */
package thawlab.presets.jdkhttp;

import java.net.http.HttpClient;
import thawlab.clients.JdkHttp;

public final class Seed implements JdkHttp.Preset {
  static final String FOR_EVER = Integer.toString(Integer.MAX_VALUE);

  private final HttpClient client;

  public Seed() {
    System.setProperty("jdk.httpclient.keepalive.timeout", FOR_EVER);
    client = HttpClient.newHttpClient();
  }

  @Override
  public HttpClient client() {
    return client;
  }
}

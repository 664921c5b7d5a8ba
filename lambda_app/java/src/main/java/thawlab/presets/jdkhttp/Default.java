/*
 * default: what the JDK makes of itself.
 *
 * A connection is kept for 30 seconds since Java 20, for 20 minutes before, and a
 * thread closes what is older. The limit is the JVM's, in whole seconds. Outside the
 * lab all this is `HttpClient.newHttpClient()`: here the limit shrinks with lab time.
 */
package thawlab.presets.jdkhttp;

import java.net.http.HttpClient;
import thawlab.OwnLimit;
import thawlab.clients.JdkHttp;

public final class Default implements JdkHttp.Preset {
  private final HttpClient client;

  public Default() {
    OwnLimit.shorten(); // outside the lab: does nothing
    client = HttpClient.newHttpClient();
  }

  @Override
  public HttpClient client() {
    return client;
  }
}

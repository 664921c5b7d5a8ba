/*
 * default: what the JDK makes of itself.
 *
 * A connection is kept for 30 seconds since Java 20, for 20 minutes before, and a
 * thread closes what is older. The limit is the JVM's, in whole seconds, and is not
 * shortened here: the lab runs this client slowly instead.
 */
package thawlab.presets.jdkhttp;

import java.net.http.HttpClient;
import thawlab.clients.JdkHttp;

public final class Default implements JdkHttp.Preset {
  private final HttpClient client = HttpClient.newHttpClient();

  @Override
  public HttpClient client() {
    return client;
  }
}

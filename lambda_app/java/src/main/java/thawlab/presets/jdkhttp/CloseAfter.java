/*
 * close_after: no connection survives the handler. Call `finish` last.
 *
 * It must be done before the handler returns: the runtime asks for the next event
 * then, and the sandbox may be frozen. A client can be closed since Java 21; before,
 * its connections go when the garbage collector finds that nobody has it any more.
 */
package thawlab.presets.jdkhttp;

import java.net.http.HttpClient;
import thawlab.clients.JdkHttp;

public final class CloseAfter implements JdkHttp.Preset {
  private HttpClient client;

  @Override
  public synchronized HttpClient client() {
    if (client == null) {
      client = HttpClient.newHttpClient();
    }
    return client;
  }

  @Override
  public synchronized void finish() throws Exception {
    if (!(client() instanceof AutoCloseable closeable)) {
      throw new UnsupportedOperationException("HttpClient.close() needs Java 21");
    }
    closeable.close();
    client = null;
  }
}

/*
 * close_after: no connection survives the handler. Call `finish` last.
 *
 * It must be done before the handler returns: the runtime asks for the next event
 * then, and the sandbox may be frozen. The client itself stays and can go on.
 */
package thawlab.presets.apachehttp;

import java.io.IOException;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.util.TimeValue;

public final class CloseAfter {
  private final PoolingHttpClientConnectionManager pool =
      new PoolingHttpClientConnectionManager();
  private final CloseableHttpClient client =
      HttpClients.custom()
          .setConnectionManager(pool)
          .setKeepAliveStrategy((response, context) -> TimeValue.NEG_ONE_MILLISECOND)
          .build();

  public CloseableHttpClient client() {
    return client;
  }

  public void finish() {
    pool.closeIdle(TimeValue.ZERO_MILLISECONDS);
  }

  public static void main(String[] args) throws IOException {
    var preset = new CloseAfter();
    for (int i = 0; i < 2; i++) {
      var request = new HttpGet(args[0]);
      System.out.println(preset.client().execute(request, HttpResponse::getCode));
    }
    preset.finish();
  }
}

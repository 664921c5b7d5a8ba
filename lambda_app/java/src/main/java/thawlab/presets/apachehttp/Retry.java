/*
 * retry: the library's own retry, for a POST with an idempotency key too.
 *
 * By itself it tries again what is idempotent by its method. The idle connections are
 * dropped first: the next one from the pool may be as stale.
 */
package thawlab.presets.apachehttp;

import java.io.IOException;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.DefaultHttpRequestRetryStrategy;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.util.TimeValue;

public final class Retry {
  private final PoolingHttpClientConnectionManager pool =
      new PoolingHttpClientConnectionManager();
  private final CloseableHttpClient client =
      HttpClients.custom()
          .setConnectionManager(pool)
          .setKeepAliveStrategy((response, context) -> TimeValue.NEG_ONE_MILLISECOND)
          .setRetryStrategy(new ByKey())
          .build();

  private final class ByKey extends DefaultHttpRequestRetryStrategy {
    ByKey() {
      super(1, TimeValue.ofSeconds(1));
    }

    @Override
    protected boolean handleAsIdempotent(HttpRequest request) {
      return request.containsHeader("Idempotency-Key")
          || super.handleAsIdempotent(request);
    }

    @Override
    public boolean retryRequest(
        HttpRequest request, IOException error, int tries, HttpContext context) {
      pool.closeIdle(TimeValue.ZERO_MILLISECONDS);
      return super.retryRequest(request, error, tries, context);
    }
  }

  public CloseableHttpClient client() {
    return client;
  }

  public static void main(String[] args) throws IOException {
    var preset = new Retry();
    for (int i = 0; i < 2; i++) {
      var request = new HttpGet(args[0]);
      System.out.println(preset.client().execute(request, HttpResponse::getCode));
    }
  }
}

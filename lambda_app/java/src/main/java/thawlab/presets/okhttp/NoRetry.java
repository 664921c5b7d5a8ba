/*
 * no_retry: like seed, with OkHttp's own retry switched off. What the retry hides.
 *
 * People switch it off because it may do a POST's work twice. Then every stale
 * connection that looks healthy is an error.
 */
package thawlab.presets.okhttp;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import okhttp3.ConnectionPool;
import okhttp3.OkHttpClient;
import okhttp3.Request;

public final class NoRetry {
  private final OkHttpClient client =
      new OkHttpClient.Builder()
          .connectionPool(new ConnectionPool(5, 365, TimeUnit.DAYS))
          .retryOnConnectionFailure(false)
          .build();

  public OkHttpClient client() {
    return client;
  }

  public static void main(String[] args) throws IOException {
    var preset = new NoRetry();
    for (int i = 0; i < 2; i++) {
      var request = new Request.Builder().url(args[0]).build();
      try (var answer = preset.client().newCall(request).execute()) {
        System.out.println(answer.code());
      }
    }
  }
}

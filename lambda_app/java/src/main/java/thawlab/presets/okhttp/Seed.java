/*
 * seed: a pool that never forgets a connection. The story's mistake.
 *
 * A client made once, and "keep it as long as possible". OkHttp's own retry is left
 * as it is: on. It hides a stale connection, and may do a POST's work twice.
 */
package thawlab.presets.okhttp;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import okhttp3.ConnectionPool;
import okhttp3.OkHttpClient;
import okhttp3.Request;

public final class Seed {
  private final OkHttpClient client =
      new OkHttpClient.Builder()
          .connectionPool(new ConnectionPool(5, 365, TimeUnit.DAYS))
          .build();

  public OkHttpClient client() {
    return client;
  }

  public static void main(String[] args) throws IOException {
    var preset = new Seed();
    for (int i = 0; i < 2; i++) {
      var request = new Request.Builder().url(args[0]).build();
      try (var answer = preset.client().newCall(request).execute()) {
        System.out.println(answer.code());
      }
    }
  }
}

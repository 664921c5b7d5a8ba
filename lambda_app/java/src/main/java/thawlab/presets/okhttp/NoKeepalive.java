/*
 * no_keepalive: every request on a connection of its own. The diagnosis of the story.
 *
 * If the resets stop with this, they came from reused connections. A pool that keeps
 * no idle connection is how OkHttp says it. It costs a handshake a request.
 */
package thawlab.presets.okhttp;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import okhttp3.ConnectionPool;
import okhttp3.OkHttpClient;
import okhttp3.Request;

public final class NoKeepalive {
  private final OkHttpClient client =
      new OkHttpClient.Builder()
          .connectionPool(new ConnectionPool(0, 1, TimeUnit.SECONDS))
          .build();

  public OkHttpClient client() {
    return client;
  }

  public static void main(String[] args) throws IOException {
    var preset = new NoKeepalive();
    for (int i = 0; i < 2; i++) {
      var request = new Request.Builder().url(args[0]).build();
      try (var answer = preset.client().newCall(request).execute()) {
        System.out.println(answer.code());
      }
    }
  }
}

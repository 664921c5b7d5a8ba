/*
 * sane: the pool forgets a connection after 50 s, well before the upstream does.
 *
 * OkHttp's limit is a thread's work: nothing looks at the age of a connection when it
 * is taken. In a frozen sandbox the thread runs late, after the thaw, and races the
 * event; the library's own retry covers that. Limits on connections are the
 * dispatcher's, and hold for enqueued calls.
 */
package thawlab.presets.okhttp;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import okhttp3.ConnectionPool;
import okhttp3.Dispatcher;
import okhttp3.OkHttpClient;
import okhttp3.Request;

public final class Sane {
  private final OkHttpClient client =
      new OkHttpClient.Builder()
          .connectionPool(new ConnectionPool(5, 50, TimeUnit.SECONDS))
          .dispatcher(limited(10))
          .callTimeout(Duration.ofSeconds(30))
          .connectTimeout(Duration.ofSeconds(5))
          .readTimeout(Duration.ofSeconds(30)) // without it, 10
          .build();

  private static Dispatcher limited(int perHost) {
    Dispatcher dispatcher = new Dispatcher();
    dispatcher.setMaxRequestsPerHost(perHost);
    return dispatcher;
  }

  public OkHttpClient client() {
    return client;
  }

  public static void main(String[] args) throws IOException {
    var preset = new Sane();
    for (int i = 0; i < 2; i++) {
      var request = new Request.Builder().url(args[0]).build();
      try (var answer = preset.client().newCall(request).execute()) {
        System.out.println(answer.code());
      }
    }
  }
}

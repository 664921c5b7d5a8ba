/*
 * close_after: no connection survives the handler. Call `finish` last.
 *
 * It must be done before the handler returns: the runtime asks for the next event
 * then, and the sandbox may be frozen. The client itself stays and can go on.
 */
package thawlab.presets.okhttp;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import okhttp3.ConnectionPool;
import okhttp3.OkHttpClient;
import okhttp3.Request;

public final class CloseAfter {
  private final OkHttpClient client =
      new OkHttpClient.Builder()
          .connectionPool(new ConnectionPool(5, 365, TimeUnit.DAYS))
          .build();

  public OkHttpClient client() {
    return client;
  }

  public void finish() {
    client.connectionPool().evictAll();
  }

  public static void main(String[] args) throws IOException {
    var preset = new CloseAfter();
    for (int i = 0; i < 2; i++) {
      var request = new Request.Builder().url(args[0]).build();
      try (var answer = preset.client().newCall(request).execute()) {
        System.out.println(answer.code());
      }
    }
    preset.finish();
  }
}

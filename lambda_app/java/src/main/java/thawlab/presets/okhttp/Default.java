/*
 * default: what OkHttp makes of itself.
 *
 * Five idle connections, five minutes each; a thread closes what is older. A failed
 * connection is tried again by itself, for POST too. Its timeouts are ten seconds each.
 */
package thawlab.presets.okhttp;

import java.io.IOException;
import okhttp3.OkHttpClient;
import okhttp3.Request;

public final class Default {
  private final OkHttpClient client = new OkHttpClient();

  public OkHttpClient client() {
    return client;
  }

  public static void main(String[] args) throws IOException {
    var preset = new Default();
    for (int i = 0; i < 2; i++) {
      var request = new Request.Builder().url(args[0]).build();
      try (var answer = preset.client().newCall(request).execute()) {
        System.out.println(answer.code());
      }
    }
  }
}

/*
 * sane: the pool forgets a connection well before the upstream does.
 *
 * OkHttp's limit is a thread's work: nothing looks at the age of a connection when it
 * is taken. In a frozen sandbox the thread runs late, after the thaw, and races the
 * event; the library's own retry covers that. Limits on connections are the
 * dispatcher's, and hold for enqueued calls.
 */
package thawlab.presets.okhttp;

import static thawlab.LabTime.seconds; // outside the lab: 60 is 60

import java.util.concurrent.TimeUnit;
import okhttp3.ConnectionPool;
import okhttp3.Dispatcher;
import okhttp3.OkHttpClient;
import thawlab.clients.OkHttp;

public final class Sane implements OkHttp.Preset {
  private final OkHttpClient client =
      new OkHttpClient.Builder()
          .connectionPool(
              new ConnectionPool(5, seconds(60).toNanos(), TimeUnit.NANOSECONDS))
          .dispatcher(limited(10))
          .callTimeout(seconds(300))
          .connectTimeout(seconds(150))
          .readTimeout(seconds(150))
          .writeTimeout(seconds(150))
          .build();

  private static Dispatcher limited(int perHost) {
    Dispatcher dispatcher = new Dispatcher();
    dispatcher.setMaxRequestsPerHost(perHost);
    return dispatcher;
  }

  @Override
  public OkHttpClient client() {
    return client;
  }
}

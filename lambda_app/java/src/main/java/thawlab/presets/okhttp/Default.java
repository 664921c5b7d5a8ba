/*
 * default: what OkHttp makes of itself.
 *
 * Five idle connections, five minutes each; a thread closes what is older. A failed
 * connection is tried again by itself, for POST too. Outside the lab this file is
 * `new OkHttpClient()`: here the pool's own limit is read, to shrink with lab time.
 */
package thawlab.presets.okhttp;

import static thawlab.LabTime.SPEED; // outside the lab: 1

import java.lang.reflect.Field;
import java.util.concurrent.TimeUnit;
import okhttp3.ConnectionPool;
import okhttp3.OkHttpClient;
import thawlab.clients.OkHttp;

public final class Default implements OkHttp.Preset {
  private final OkHttpClient client =
      new OkHttpClient.Builder()
          .connectionPool(
              new ConnectionPool(
                  (int) own("maxIdleConnections"),
                  (long) (own("keepAliveDurationNs") / SPEED),
                  TimeUnit.NANOSECONDS))
          .build();

  @Override
  public OkHttpClient client() {
    return client;
  }

  private static double own(String limit) {
    try {
      Object pool = new ConnectionPool().getDelegate$okhttp();
      Field field = pool.getClass().getDeclaredField(limit);
      field.setAccessible(true);
      return ((Number) field.get(pool)).doubleValue();
    } catch (ReflectiveOperationException error) {
      throw new IllegalStateException("this OkHttp has no " + limit, error);
    }
  }
}

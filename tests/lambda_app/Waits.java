import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.channels.Selector;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import okhttp3.ConnectionPool;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.util.TimeValue;

/** Clocks and waits of Java. A test starts this with the time object, moves the clocks, and hears what came of it. */
final class Waits {
  private static final long SECONDS = 60;
  private static final long MILLIS = 1000 * SECONDS;

  /** Waits for so long. Calls `begins` when the wait begins. */
  private interface Wait {
    void begin(Runnable begins) throws Exception;
  }

  private static final Map<String, Wait> WAITS = new LinkedHashMap<>();
  private static final Map<String, Supplier<Double>> CLOCKS =
      Map.of(
          "nanoTime", () -> System.nanoTime() / 1e9,
          "currentTimeMillis", () -> System.currentTimeMillis() / 1e3,
          "Instant", () -> Duration.between(Instant.EPOCH, Instant.now()).toNanos() / 1e9);

  static {
    WAITS.put("sleep", begins -> { begins.run(); Thread.sleep(MILLIS); });
    WAITS.put("join", begins -> { begins.run(); Thread.currentThread().join(MILLIS); });
    WAITS.put("parkNanos", begins -> {
      begins.run();
      for (long end = System.nanoTime() + MILLIS * 1_000_000, left; (left = end - System.nanoTime()) > 0; ) {
        LockSupport.parkNanos(left);
      }
    });
    WAITS.put("parkUntil", begins -> {
      begins.run();
      for (long end = System.currentTimeMillis() + MILLIS; System.currentTimeMillis() < end; ) {
        LockSupport.parkUntil(end);
      }
    });
    WAITS.put("wait", begins -> {
      var held = new Object();
      begins.run();
      synchronized (held) {
        held.wait(MILLIS);
      }
    });
    WAITS.put("condition", begins -> {
      var lock = new ReentrantLock();
      lock.lock();
      begins.run();
      isFalse(lock.newCondition().await(SECONDS, TimeUnit.SECONDS));
    });
    WAITS.put("latch", begins -> {
      begins.run();
      isFalse(new CountDownLatch(1).await(SECONDS, TimeUnit.SECONDS));
    });
    WAITS.put("queue", begins -> {
      begins.run();
      isFalse(new ArrayBlockingQueue<String>(1).poll(SECONDS, TimeUnit.SECONDS) != null);
    });
    WAITS.put("synchronous queue", begins -> {
      begins.run();
      isFalse(new SynchronousQueue<String>().poll(SECONDS, TimeUnit.SECONDS) != null);
    });
    WAITS.put("future", begins -> {
      begins.run();
      fails(() -> new CompletableFuture<Void>().get(SECONDS, TimeUnit.SECONDS), TimeoutException.class);
    });
    WAITS.put("orTimeout", begins -> {
      begins.run();
      try {
        new CompletableFuture<Void>().orTimeout(SECONDS, TimeUnit.SECONDS).get();
      } catch (ExecutionException error) {
        isFalse(!(error.getCause() instanceof TimeoutException));
      }
    });
    WAITS.put("scheduled", begins -> {
      var over = new CountDownLatch(1);
      Executors.newScheduledThreadPool(1).schedule(over::countDown, SECONDS, TimeUnit.SECONDS);
      begins.run();
      over.await();
    });
    WAITS.put("timer", begins -> {
      var over = new CountDownLatch(1);
      new Timer().schedule(new TimerTask() {
        @Override
        public void run() {
          over.countDown();
        }
      }, MILLIS);
      begins.run();
      over.await();
    });
    WAITS.put("select", begins -> {
      var selector = Selector.open();
      begins.run();
      isFalse(selector.select(MILLIS) != 0);
    });
    WAITS.put("socket", begins -> {
      try (var socket = new Socket(InetAddress.getLoopbackAddress(), Server.silent())) {
        socket.setSoTimeout((int) MILLIS);
        begins.run();
        fails(() -> socket.getInputStream().read(), SocketTimeoutException.class);
      }
    });
    WAITS.put("accept", begins -> {
      try (var socket = new ServerSocket(0)) {
        socket.setSoTimeout((int) MILLIS);
        begins.run();
        fails(socket::accept, SocketTimeoutException.class);
      }
    });
    WAITS.put("process", begins -> {
      var builder = new ProcessBuilder("sleep", "1000");
      builder.environment().clear();
      Process child = builder.start();
      begins.run();
      isFalse(child.waitFor(SECONDS, TimeUnit.SECONDS));
      child.destroy();
    });
    WAITS.put("jdk-http timeout", begins -> {
      URI never = URI.create("http://127.0.0.1:" + Server.silent());
      var request = HttpRequest.newBuilder(never).timeout(Duration.ofSeconds(SECONDS)).build();
      begins.run();
      fails(() -> HttpClient.newHttpClient().send(request, BodyHandlers.discarding()), HttpTimeoutException.class);
    });
    WAITS.put("jdk-http keepalive", begins -> {
      var server = new Server();
      var client = HttpClient.newHttpClient();
      client.send(HttpRequest.newBuilder(URI.create(server.url())).build(), BodyHandlers.discarding());
      begins.run();
      server.ended.await();
      client.hashCode(); // it is still in use
    });
    WAITS.put("okhttp evictor", begins -> {
      var server = new Server();
      var pool = new ConnectionPool(5, SECONDS, TimeUnit.SECONDS);
      var client = new OkHttpClient.Builder().connectionPool(pool).build();
      try (var answer = client.newCall(new Request.Builder().url(server.url()).build()).execute()) {
        answer.body().string();
      }
      begins.run();
      server.ended.await();
    });
    WAITS.put("okhttp timeout", begins -> {
      var client = new OkHttpClient.Builder().readTimeout(Duration.ofSeconds(SECONDS)).build();
      var request = new Request.Builder().url("http://127.0.0.1:" + Server.silent()).build();
      begins.run();
      fails(() -> client.newCall(request).execute(), SocketTimeoutException.class);
    });
    WAITS.put("apache-http evictor", begins -> {
      var server = new Server();
      var client = HttpClients.custom().evictIdleConnections(TimeValue.ofSeconds(SECONDS)).build();
      client.execute(new HttpGet(server.url()), answer -> answer.getCode());
      begins.run();
      server.ended.await();
      client.close();
    });
  }

  /** Answers each request on its one connection, and says when the client has ended that. */
  private static final class Server {
    final CountDownLatch ended = new CountDownLatch(1);
    private final ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());

    Server() throws IOException {
      daemon("server", this::serve);
    }

    String url() {
      return "http://127.0.0.1:" + listening.getLocalPort() + "/";
    }

    private void serve() {
      try (var socket = listening.accept()) {
        var input = new BufferedReader(new InputStreamReader(socket.getInputStream()));
        for (String line; (line = input.readLine()) != null; ) {
          if (line.isEmpty()) {
            socket.getOutputStream().write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nit".getBytes());
          }
        }
        ended.countDown();
      } catch (IOException error) {
        error.printStackTrace();
      }
    }

    private static final List<ServerSocket> SILENT = new ArrayList<>(); // else they would be collected, and closed

    /** The port of one that never answers. */
    static int silent() throws IOException {
      SILENT.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
      return SILENT.get(SILENT.size() - 1).getLocalPort();
    }
  }

  private interface Attempt {
    void make() throws Exception;
  }

  private static void fails(Attempt attempt, Class<? extends Exception> as) throws Exception {
    try {
      attempt.make();
    } catch (Exception error) {
      if (as.isInstance(error)) {
        return;
      }
      throw error;
    }
    throw new AssertionError("it did not fail");
  }

  private static void isFalse(boolean value) {
    if (value) {
      throw new AssertionError("it ended by something else");
    }
  }

  private static void daemon(String name, Runnable work) {
    var thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
  }

  private static synchronized void say(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
  }

  /** Returns when it has begun. When it is over, it is told how far both clocks went meanwhile. */
  private static void start(String name, Wait wait) throws InterruptedException {
    var begun = new CountDownLatch(1);
    daemon(name, () -> {
      double[] at = new double[2];
      try {
        wait.begin(() -> {
          at[0] = System.nanoTime() / 1e9;
          at[1] = System.currentTimeMillis() / 1e3;
          begun.countDown();
        });
        say("[\"%s\", %f, %f]", name, System.nanoTime() / 1e9 - at[0], System.currentTimeMillis() / 1e3 - at[1]);
      } catch (Exception | AssertionError error) {
        say("[\"%s: %s\", 0, 0]", name, error);
      }
      begun.countDown();
    });
    begun.await();
  }

  public static void main(String[] arguments) throws Exception {
    var input = new BufferedReader(new InputStreamReader(System.in));
    if (arguments[0].equals("waits")) {
      for (var wait : WAITS.entrySet()) {
        start(wait.getKey(), wait.getValue());
      }
      say("%d", WAITS.size());
      input.readLine();
    } else if (arguments[0].equals("journal")) {
      var read = Class.forName("thawlab.Clock").getDeclaredMethod("now");
      read.setAccessible(true);
      double most = 0;
      double last = (double) read.invoke(null);
      say("\"ready\"");
      while (!input.ready()) {
        for (int i = 0; i < 1000; i++) {
          double seen = (double) read.invoke(null);
          most = Math.max(most, Math.abs(seen - last));
          last = seen;
        }
      }
      say("[%f, %f, %f]", most, last, System.nanoTime() / 1e9 - last);
    } else {
      while (input.readLine() != null) {
        var read = new StringBuilder();
        CLOCKS.forEach((name, clock) -> read.append(String.format(", \"%s\": %.9f", name, clock.get())));
        say("{%s}", read.substring(2));
      }
    }
  }
}

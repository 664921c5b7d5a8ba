package thawlab;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.amazonaws.services.lambda.runtime.api.client.AWSLambda;
import com.amazonaws.services.lambda.runtime.api.client.UserFault;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.stream.Stream;
import thawlab.clients.ApacheHttp;
import thawlab.clients.Call;
import thawlab.clients.Client;
import thawlab.clients.JdkHttp;
import thawlab.clients.OkHttp;

/** The function under test: calls the upstream through a pooled client and reports what happened (docs/functions.md). */
public final class Handler implements RequestStreamHandler {
  private static final Gson JSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

  private static final String RUNTIME_CLIENT =
      "aws-lambda-java-runtime-interface-client " + AWSLambda.class.getPackage().getImplementationVersion();

  static {
    Trust.trustUpstream();
  }

  // All of this is made once, when the sandbox is initialised, and survives from invocation to invocation.
  private final String sandbox = UUID.randomUUID().toString().replace("-", "");
  private final Function<String, Client> library = library(System.getenv("THAWLAB_CLIENT"));
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private String upstream = System.getenv("UPSTREAM_URL");
  private Client client;
  private Client.Loaded loaded;
  private int invocations;

  private static Function<String, Client> library(String name) {
    return switch (String.valueOf(name)) {
      case "jdk-http" -> JdkHttp::new;
      case "apache-http" -> ApacheHttp::new;
      case "okhttp" -> OkHttp::new;
      default -> throw new IllegalArgumentException("THAWLAB_CLIENT: this function has no client " + name);
    };
  }

  /** What the runtime client calls for each event. */
  @Override
  public void handleRequest(InputStream input, OutputStream output, Context context) throws IOException {
    JsonElement parsed = JsonParser.parseReader(new InputStreamReader(input));
    JsonObject event = parsed.isJsonObject() ? parsed.getAsJsonObject() : new JsonObject();
    prepare(event.getAsJsonObject("fresh"));
    invocations++;
    Clock.Reading clock = Clock.read();
    List<Sent> sent = serve(event);
    client.finish();

    JsonObject answer = answer(clock, sent);
    Exception failure = sent.stream().map(Sent::error).filter(error -> error != null).findFirst().orElse(null);
    if (failure != null && text(event, "on_error", "").equals("raise")) {
      throw failure instanceof IOException thrown ? thrown : new IOException(failure);
    }
    if (failure != null && text(event, "on_error", "").equals("raise-record")) {
      // Asynchronous invocations have no answer. This is the runtime client's own way to say an error's type: other
      // exceptions go out by their full class name.
      throw new UserFault(JSON.toJson(answer), "RequestFailed", UserFault.trace(failure));
    }
    output.write(JSON.toJson(answer).getBytes());
  }

  private void prepare(JsonObject fresh) {
    if (fresh == null) {
      if (client == null) {
        use(library.apply(System.getenv("THAWLAB_PRESET")));
      }
      return;
    }
    Client made = library.apply(fresh.get("preset").getAsString());
    if (client != null) {
      client.close();
    }
    use(made);
    upstream = fresh.get("upstream_url").getAsString();
    invocations = 0;
  }

  private void use(Client made) {
    client = made;
    loaded = made.loaded();
  }

  /** What became of a request: its report, and its error. */
  private record Sent(JsonObject told, Exception error) {}

  private List<Sent> serve(JsonObject event) {
    List<JsonObject> requests = new ArrayList<>();
    if (event.has("requests")) {
      event.getAsJsonArray("requests").forEach(request -> requests.add(request.getAsJsonObject()));
    }
    if (requests.isEmpty()) {
      requests.add(new JsonObject());
    }
    if (!event.has("at_once") || !event.get("at_once").getAsBoolean()) {
      return requests.stream().map(this::send).toList();
    }
    // They leave together: one that was done before the next began would lend it its connection.
    var together = new CyclicBarrier(requests.size());
    List<Future<Sent>> running =
        requests.stream().map(request -> threads.submit(() -> send(request, together))).toList();
    return running.stream().map(Handler::result).toList();
  }

  private static Sent result(Future<Sent> running) {
    try {
      return running.get();
    } catch (InterruptedException | ExecutionException error) {
      throw new IllegalStateException(error);
    }
  }

  private Sent send(JsonObject request, CyclicBarrier together) throws Exception {
    together.await();
    return send(request);
  }

  private Sent send(JsonObject request) {
    String id = text(request, "id", UUID.randomUUID().toString());
    String method = text(request, "method", "POST");
    List<String[]> headers = new ArrayList<>();
    headers.add(new String[] {"X-Request-Id", id});
    if (!text(request, "idempotency_key", "").isEmpty()) {
      headers.add(new String[] {"Idempotency-Key", text(request, "idempotency_key", "")});
    }
    String path = text(request, "path", method.equals("POST") ? "/orders" : "/orders/any");
    int size = request.has("body_bytes") ? request.get("body_bytes").getAsInt() : 0;
    boolean asJson = request.has("json") && request.get("json").getAsBoolean();
    byte[] body = new byte[asJson ? 0 : size];
    Arrays.fill(body, (byte) 'x');
    String json = asJson ? JSON.toJson(List.of("x".repeat(size - "[\"\"]".length()))) : null;

    var call = new Call(new Client.Request(method, upstream + path, headers, body, json));
    Integer status = null;
    Exception error = null;
    double started = Clock.now();
    try {
      status = client.send(call);
    } catch (Exception caught) {
      error = caught;
    }
    double ended = Clock.now();

    JsonObject told = new JsonObject();
    told.addProperty("id", id);
    told.addProperty("method", method);
    told.addProperty(
        "outcome", error != null ? Outcome.classify(error, call.answerBegan) : status < 400 ? "ok" : "http-error");
    told.addProperty("status", status);
    told.addProperty("error", error == null ? null : error.toString().lines().findFirst().orElse(""));
    told.add("chain", JSON.toJsonTree(Outcome.chain(error).stream().map(Handler::link).toList()));
    told.add("attempts", JSON.toJsonTree(call.attempts.stream().map(Handler::attempt).toList()));
    told.addProperty("started", started);
    told.addProperty("ended", ended);
    return new Sent(told, error);
  }

  private static JsonObject link(Throwable error) {
    JsonObject link = new JsonObject();
    link.addProperty("type", error.getClass().getName());
    link.add("errno", null); // Java keeps none
    link.addProperty("message", String.valueOf(error.getMessage()));
    return link;
  }

  private static JsonObject attempt(Client.Attempt taken) {
    JsonObject attempt = new JsonObject();
    attempt.addProperty("local_port", taken.localPort());
    attempt.addProperty("reused", taken.reused());
    return attempt;
  }

  private JsonObject answer(Clock.Reading clock, List<Sent> sent) {
    JsonObject versions = new JsonObject();
    versions.addProperty("language", "Java " + System.getProperty("java.version"));
    versions.addProperty("client", client.version());
    versions.addProperty("runtime_client", RUNTIME_CLIENT);
    JsonObject answer = new JsonObject();
    answer.addProperty("sandbox", sandbox);
    answer.addProperty("invocation", invocations);
    answer.addProperty("cold", invocations == 1);
    answer.add("ticks", JSON.toJsonTree(new int[] {0, 0}));
    answer.add("clock", JSON.toJsonTree(clock));
    answer.add("preset", JSON.toJsonTree(loaded));
    answer.add("versions", versions);
    answer.add("requests", JSON.toJsonTree(sent.stream().map(Sent::told).toList()));
    return answer;
  }

  private static String text(JsonObject object, String key, String otherwise) {
    return object.has(key) && !object.get(key).isJsonNull() ? object.get(key).getAsString() : otherwise;
  }
}

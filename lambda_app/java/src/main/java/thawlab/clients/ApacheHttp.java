package thawlab.clients;

import java.net.InetSocketAddress;
import java.net.URI;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.EndpointDetails;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.StringEntity;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.VersionInfo;

/** Apache HttpClient 5, the classic API: blocking, with a pool. */
public final class ApacheHttp implements Client {
  /** What a preset says. */
  public interface Preset {
    CloseableHttpClient client();

    default void finish() {}
  }

  private final Preset preset;
  private final Loaded loaded;

  public ApacheHttp(String name) {
    var found = Presets.make(Preset.class, "apachehttp", name);
    preset = found.preset();
    loaded = found.loaded();
  }

  /** The library tells each try's connection to the context, just before it sends. */
  private static final class Observed extends HttpClientContext {
    private final Call call;

    Observed(Call call) {
      this.call = call;
    }

    @Override
    public void setEndpointDetails(EndpointDetails connection) {
      super.setEndpointDetails(connection);
      Integer port = connection.getLocalAddress() instanceof InetSocketAddress address ? address.getPort() : null;
      call.attempts.add(new Attempt(port, connection.getRequestCount() > 0));
    }
  }

  @Override
  public int send(Call call) throws Exception {
    var request = new HttpUriRequestBase(call.request.method(), URI.create(call.request.url()));
    call.request.headers().forEach(header -> request.setHeader(header[0], header[1]));
    if (call.request.json() != null) {
      request.setEntity(new StringEntity(call.request.json(), ContentType.APPLICATION_JSON));
    } else if (call.request.body().length > 0) {
      request.setEntity(new ByteArrayEntity(call.request.body(), ContentType.APPLICATION_OCTET_STREAM));
    }
    return preset
        .client()
        .execute(
            request,
            new Observed(call),
            response -> {
              call.answerBegan = true;
              EntityUtils.consume(response.getEntity());
              return response.getCode();
            });
  }

  @Override
  public void finish() {
    preset.finish();
  }

  @Override
  public Loaded loaded() {
    return loaded;
  }

  @Override
  public String version() {
    var loader = CloseableHttpClient.class.getClassLoader();
    return "httpclient5 " + VersionInfo.loadVersionInfo("org.apache.hc.client5", loader).getRelease();
  }

  @Override
  public void close() {
    preset.client().close(CloseMode.GRACEFUL);
  }
}

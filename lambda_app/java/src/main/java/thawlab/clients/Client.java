package thawlab.clients;

import java.util.List;

/** A client library, made by one preset, as the function uses it. Used from several threads at once. */
public interface Client extends AutoCloseable {
  /** Makes the request and reads its answer to the end; returns the status. `call` learns what happens meanwhile. */
  int send(Call call) throws Exception;

  /** What the preset does at the end of the handler. */
  void finish();

  /** The preset that it was really made by. */
  Loaded loaded();

  /** The library and its version. */
  String version();

  /** Closes whatever it holds. */
  @Override
  void close();

  /**
   * A request to make: its method, URL, headers as (name, value), and body, empty for none. A JSON document, if
   * there is one, is sent in place of the body, in the library's own way for text of a type.
   */
  record Request(String method, String url, List<String[]> headers, byte[] body, String json) {}

  /** A preset by its name, and the SHA-256 of the source that its class was compiled from. */
  record Loaded(String name, String sha256) {}

  /** A connection that the library took for a request, by its own word. */
  record Attempt(Integer localPort, boolean reused) {}
}

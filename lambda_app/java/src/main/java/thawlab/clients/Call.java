package thawlab.clients;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** One request on its way. Libraries report on it from their own threads. */
public final class Call {
  public final Client.Request request;
  public final List<Client.Attempt> attempts = new CopyOnWriteArrayList<>();

  /** Whether the head of an answer came: an end of file means something else then. */
  public volatile boolean answerBegan;

  public Call(Client.Request request) {
    this.request = request;
  }
}

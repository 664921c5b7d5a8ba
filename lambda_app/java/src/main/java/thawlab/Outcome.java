package thawlab;

import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.ProtocolException;
import java.net.SocketException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.UnresolvedAddressException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.apache.hc.core5.http.ConnectionClosedException;
import org.apache.hc.core5.http.MalformedChunkCodingException;
import org.apache.hc.core5.http.NoHttpResponseException;

/**
 * Outcome classes: what happened to a request, decided by causes down the exception chain.
 *
 * <p>Java keeps no errno. What it keeps is the errno's own text (`strerror`) as the message of the exception that the
 * socket's own code throws: those messages, of these types only, stand for the errno. The one that is Java's own is
 * "Connection reset": the text of ECONNRESET goes on "by peer", and both are in use.
 */
final class Outcome {
  private Outcome() {}

  /** The exception and its causes, outermost first, each once. */
  static List<Throwable> chain(Throwable error) {
    List<Throwable> links = new ArrayList<>();
    for (Throwable link = error; link != null && !links.contains(link); link = link.getCause()) {
      links.add(link);
    }
    return links;
  }

  /**
   * The outcome class of a failed request.
   *
   * @param answerBegan whether the head of an answer had come: the same end of file is `truncated` then, else `eof`
   */
  static String classify(Throwable error, boolean answerBegan) {
    List<Throwable> chain = chain(error);
    for (Throwable link : chain) {
      String named = byErrnoText(link);
      if (named != null) {
        return named;
      }
    }
    if (any(chain, link -> link instanceof UnresolvedAddressException)) {
      return "other"; // the JDK's client wraps it in a ConnectException
    }
    if (any(chain, link -> link instanceof ConnectException)) {
      return "refused"; // the JDK's client makes one without a message when it is refused
    }
    if (any(chain, Outcome::isTimeout)) {
      return "timeout";
    }
    if (any(chain, link -> link instanceof EOFException || link instanceof NoHttpResponseException)) {
      return answerBegan ? "truncated" : "eof";
    }
    if (answerBegan && any(chain, Outcome::isEarlyEnd)) {
      return "truncated";
    }
    if (any(chain, Outcome::isClosedHere)) {
      return "closed-locally";
    }
    return "other";
  }

  private static String byErrnoText(Throwable link) {
    String text = link.getMessage();
    // NIO throws a plain IOException for errnos that have no exception of their own.
    if (text == null || !(link instanceof SocketException || link.getClass() == IOException.class)) {
      return null;
    }
    return switch (text) {
      case "Connection reset", "Connection reset by peer" -> "reset";
      case "Broken pipe" -> "epipe";
      case "Connection timed out" -> "timeout";
      case "Connection refused" -> "refused";
      default -> null;
    };
  }

  private static boolean isTimeout(Throwable link) {
    return link instanceof HttpTimeoutException
        || link instanceof InterruptedIOException // java.net's, Apache's and OkHttp's are all of this kind
        || link instanceof TimeoutException;
  }

  /** How Apache's client and OkHttp say that a body ended early; ConnectionClosedException has two meanings. */
  private static boolean isEarlyEnd(Throwable link) {
    return link instanceof ConnectionClosedException
        || link instanceof MalformedChunkCodingException
        || link instanceof ProtocolException;
  }

  private static boolean isClosedHere(Throwable link) {
    return link instanceof ClosedChannelException
        || link instanceof ConnectionClosedException
        || (link instanceof SocketException && String.valueOf(link.getMessage()).matches("Socket (is )?closed"))
        || (link.getClass() == IOException.class
            && String.valueOf(link.getMessage()).matches("connection closed locally|closed output"));
  }

  private static boolean any(List<Throwable> chain, Predicate<Throwable> what) {
    return chain.stream().anyMatch(what);
  }
}

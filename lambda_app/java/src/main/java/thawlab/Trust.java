package thawlab;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.List;

/**
 * Trusts the upstream's own certificate authority (THAWLAB_CA_PEM; absent without TLS), for every library that asks
 * the JDK's default trust store. To be called before any TLS is used.
 */
final class Trust {
  private static final Path OPEN_FILES = Path.of("/proc/self/fd");

  /** Keeps the deleted file. */
  private static FileChannel kept;

  private Trust() {}

  static void trustUpstream() {
    String pem = System.getenv("THAWLAB_CA_PEM");
    if (pem == null) {
      return;
    }
    try {
      KeyStore store = KeyStore.getInstance("JKS");
      store.load(null, null);
      var authority = new ByteArrayInputStream(pem.getBytes());
      store.setCertificateEntry("upstream", CertificateFactory.getInstance("X.509").generateCertificate(authority));
      System.setProperty("javax.net.ssl.trustStore", write(store).toString());
      System.setProperty("javax.net.ssl.trustStoreType", "JKS");
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    } catch (GeneralSecurityException error) {
      throw new IllegalStateException("THAWLAB_CA_PEM is not a certificate", error);
    }
  }

  /** A file that is deleted already, by the name of its descriptor: a killed sandbox leaves nothing behind. */
  private static Path write(KeyStore store) throws IOException, GeneralSecurityException {
    Path file = Files.createTempFile("authority", ".jks");
    try (var out = Files.newOutputStream(file)) {
      store.store(out, "public".toCharArray()); // who reads without a password just skips the integrity check
    }
    kept = FileChannel.open(file, StandardOpenOption.READ);
    Path opened = descriptorOf(file);
    Files.delete(file);
    return opened;
  }

  private static Path descriptorOf(Path file) throws IOException {
    try (var descriptors = Files.list(OPEN_FILES)) {
      List<Path> all = descriptors.toList();
      for (Path descriptor : all) {
        // One of them was the listing's own and is gone.
        if (Files.exists(descriptor) && Files.isSameFile(descriptor, file)) {
          return descriptor;
        }
      }
    }
    throw new IOException(file + " is not among " + OPEN_FILES);
  }
}

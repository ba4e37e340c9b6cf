package io.catchment.objectstore.testing;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;

/**
 * An S3 server with enforced SigV4 in this process, its buckets directories below one directory. Stopping and starting it again on the same
 * port plays an outage. {@code main} runs it alone: arguments port and directory, with a bucket {@link #BUCKET} made.
 */
public final class EmbeddedS3 implements AutoCloseable {
    public static final String BUCKET = "catchment";
    public static final String ACCESS_KEY_ID = "local-identity";
    public static final String SECRET_ACCESS_KEY = "local-credential";

    private final S3Proxy server;

    private EmbeddedS3(S3Proxy server) {
        this.server = server;
    }

    /** @param port 0: any free one */
    public static EmbeddedS3 start(int port, Path directory) throws Exception {
        makeBucket(directory);
        S3Proxy server = S3Proxy.builder()
                .blobStore(new FilesystemNio2BlobStore(directory.toString()))
                .awsAuthentication(AuthenticationType.AWS_V4, ACCESS_KEY_ID, SECRET_ACCESS_KEY)
                .endpoint(URI.create("http://127.0.0.1:" + port))
                .v4MaxNonChunkedRequestSize(256L << 20)
                .jettyMaxThreads(32)
                .stopTimeout(0)
                .build();
        server.start();
        return new EmbeddedS3(server);
    }

    public int port() {
        return server.getPort();
    }

    /** For {@code ObjectStores.open}; single uploads only, the server cannot take the client's multipart ones. */
    public String uri(String prefix) {
        return "s3://" + BUCKET + "/" + prefix + "?endpoint=http://127.0.0.1:" + port()
                + "&region=us-east-1&path-style=true&multipart-bytes=268435456&access-key-id=" + ACCESS_KEY_ID
                + "&secret-access-key=" + SECRET_ACCESS_KEY;
    }

    @Override
    public void close() {
        try {
            server.stop();
        } catch (Exception failed) {
            throw new IllegalStateException("the S3 server did not stop", failed);
        }
    }

    private static void makeBucket(Path directory) throws IOException {
        Files.createDirectories(directory.resolve(BUCKET));
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 2) {
            System.err.println("usage: EmbeddedS3 PORT DIRECTORY");
            System.exit(2);
        }
        EmbeddedS3 server = start(Integer.parseInt(arguments[0]), Path.of(arguments[1]));
        System.out.println("S3 server ready: " + server.uri(""));
        Thread.currentThread().join();
    }
}

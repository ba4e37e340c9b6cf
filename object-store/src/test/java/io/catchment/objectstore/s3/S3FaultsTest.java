package io.catchment.objectstore.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.open.BareStores;
import io.catchment.objectstore.open.ObjectStores;
import io.catchment.objectstore.retry.RetryPolicy;
import io.catchment.objectstore.retry.StoreListener;
import io.catchment.objectstore.testing.EmbeddedS3;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The S3 store with servers that are wrong, gone, or talk nonsense. */
class S3FaultsTest {
    @TempDir
    Path directory;

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

    @AfterEach
    void stop() {
        timer.shutdownNow();
    }

    @Test
    void wrongKeysAndAMissingBucketAreToldApart() throws Exception {
        try (EmbeddedS3 server = EmbeddedS3.start(0, directory)) {
            ObjectStore wrongKey = BareStores.open(server.uri("").replace(EmbeddedS3.SECRET_ACCESS_KEY, "wrong"));
            ByteBuf body = body("x");
            fails(Reason.CREDENTIALS, wrongKey.put("a", body));
            wrongKey.close();
            assertThat(body.refCnt()).isZero();
            ObjectStore noBucket = BareStores.open(server.uri("").replace(EmbeddedS3.BUCKET + "/", "no-such-bucket/"));
            fails(Reason.REFUSED, noBucket.put("a", body("x")));
            fails(Reason.REFUSED, noBucket.get("a", 0, 1));
            noBucket.close();
        }
    }

    @Test
    void rotatedCredentialsAreFoundWithoutARestart() throws Exception {
        Path file = directory.resolve("credentials");
        credentials(file, "outdated");
        System.setProperty("aws.sharedCredentialsFile", file.toString());
        try (EmbeddedS3 server = EmbeddedS3.start(0, directory.resolve("store"))) {
            String uri = server.uri("r").replaceAll("&access-key-id=.*", "");
            RetryPolicy policy = new RetryPolicy(5_000, 1 << 20, 3, 400, 800, 50, 20, 100);
            ObjectStore store = ObjectStores.open(uri, Map.of(), policy, timer, StoreListener.NONE);
            fails(Reason.CREDENTIALS, store.put("a", body("x")));
            credentials(file, EmbeddedS3.SECRET_ACCESS_KEY);
            eventually(() -> done(store.put("a", body("x"))));
            store.close();
        } finally {
            System.clearProperty("aws.sharedCredentialsFile");
        }
    }

    private static void credentials(Path file, String secret) throws IOException {
        Files.writeString(
                file,
                "[default]\naws_access_key_id = " + EmbeddedS3.ACCESS_KEY_ID + "\naws_secret_access_key = " + secret
                        + "\n");
    }

    @Test
    void aServerThatGoesAndComesBackIsTransientTroubleOnly() throws Exception {
        EmbeddedS3 first = EmbeddedS3.start(0, directory);
        int port = first.port();
        RetryPolicy policy = new RetryPolicy(5_000, 1 << 20, 3, 5, 20, 5, 20, 100);
        ObjectStore store = ObjectStores.open(first.uri("p"), Map.of(), policy, timer, StoreListener.NONE);
        done(store.put("before", body("one")));
        first.close();
        List<ByteBuf> bodies = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            ByteBuf body = body("lost");
            bodies.add(body);
            fails(Reason.TRANSIENT, store.put("during", body));
        }
        assertThat(bodies).allSatisfy(body -> assertThat(body.refCnt()).isZero());
        try (EmbeddedS3 second = EmbeddedS3.start(port, directory)) {
            assertThat(second.port()).isEqualTo(port);
            eventually(() -> done(store.put("after", body("two"))));
            ByteBuf read = done(store.get("before", 0, 3));
            assertThat(read.toString(StandardCharsets.UTF_8)).isEqualTo("one");
            read.release();
            store.close();
        }
    }

    @Test
    void anAnswerThatIsCutOffIsTransient() throws Exception {
        String answer = "HTTP/1.1 206 Partial Content\r\nContent-Type: application/octet-stream\r\n"
                + "Content-Range: bytes 0-99/100\r\nContent-Length: 100\r\n\r\nonly this";
        try (RawServer server = new RawServer(answer)) {
            ObjectStore store = BareStores.open(server.uri());
            fails(Reason.TRANSIENT, store.get("a", 0, 100));
            store.close();
        }
    }

    @Test
    void slowDownIsThrottlingAndAccessDeniedIsRefused() throws Exception {
        try (RawServer server = new RawServer(error("503 Slow Down", "SlowDown"))) {
            ObjectStore store = BareStores.open(server.uri());
            fails(Reason.THROTTLED, store.get("a", 0, 10));
            fails(Reason.THROTTLED, store.put("a", body("x")));
            store.close();
        }
        try (RawServer server = new RawServer(error("403 Forbidden", "AccessDenied"))) {
            ObjectStore store = BareStores.open(server.uri());
            fails(Reason.REFUSED, store.get("a", 0, 10));
            store.close();
        }
    }

    @Test
    void aServerThatNeverAnswersTimesOutAndCloseDoesNotHangOrCrash() throws Exception {
        try (RawServer server = new RawServer("")) {
            RetryPolicy policy = new RetryPolicy(300, 1 << 30, 2, 5, 20, 50, 20, 100);
            ObjectStore store = ObjectStores.open(server.uri(), Map.of(), policy, timer, StoreListener.NONE);
            fails(Reason.TRANSIENT, store.get("a", 0, 10));
            server.hangUp();
            store.close();
        }
    }

    @Test
    void closingWhileRequestsAreUnderWayIsSafe() throws Exception {
        for (int round = 0; round < 5; round++) {
            try (EmbeddedS3 server = EmbeddedS3.start(0, directory)) {
                ObjectStore store = BareStores.open(server.uri("c"));
                List<CompletionStage<Void>> puts = new ArrayList<>();
                for (int i = 0; i < 30; i++) {
                    puts.add(store.put(
                            "k" + i, ByteBufAllocator.DEFAULT.directBuffer().writeZero(100_000)));
                }
                store.close();
                for (CompletionStage<Void> put : puts) {
                    put.toCompletableFuture()
                            .orTimeout(30, TimeUnit.SECONDS)
                            .exceptionally(failure -> null)
                            .join();
                }
                ByteBuf late = body("x");
                fails(Reason.REFUSED, store.put("late", late));
                assertThat(late.refCnt()).isZero();
            }
        }
    }

    @Test
    void statusesAreUnderstood() {
        assertThat(S3Failures.reason(404, "NoSuchKey")).isEqualTo(Reason.NOT_FOUND);
        assertThat(S3Failures.reason(404, "NoSuchBucket")).isEqualTo(Reason.REFUSED);
        assertThat(S3Failures.reason(404, "")).isEqualTo(Reason.NOT_FOUND);
        assertThat(S3Failures.reason(412, "PreconditionFailed")).isEqualTo(Reason.ALREADY_EXISTS);
        assertThat(S3Failures.reason(409, "ConditionalRequestConflict")).isEqualTo(Reason.TRANSIENT);
        assertThat(S3Failures.reason(416, "InvalidRange")).isEqualTo(Reason.CORRUPT);
        assertThat(S3Failures.reason(400, "RequestTimeout")).isEqualTo(Reason.TRANSIENT);
        assertThat(S3Failures.reason(400, "ExpiredToken")).isEqualTo(Reason.CREDENTIALS);
        assertThat(S3Failures.reason(503, "SlowDown")).isEqualTo(Reason.THROTTLED);
        assertThat(S3Failures.reason(503, "ServiceUnavailable")).isEqualTo(Reason.TRANSIENT);
        assertThat(S3Failures.reason(429, "")).isEqualTo(Reason.THROTTLED);
        assertThat(S3Failures.reason(403, "InvalidAccessKeyId")).isEqualTo(Reason.CREDENTIALS);
        assertThat(S3Failures.reason(403, "AccessDenied")).isEqualTo(Reason.REFUSED);
        assertThat(S3Failures.reason(400, "BadDigest")).isEqualTo(Reason.TRANSIENT);
        assertThat(S3Failures.reason(400, "")).isEqualTo(Reason.TRANSIENT);
        assertThat(S3Failures.reason(400, "InvalidArgument")).isEqualTo(Reason.REFUSED);
        assertThat(S3Failures.reason(500, "")).isEqualTo(Reason.TRANSIENT);
        assertThat(S3Failures.reason(301, "PermanentRedirect")).isEqualTo(Reason.REFUSED);
    }

    // ---- steps

    private static String error(String status, String code) {
        String xml = "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>no</Message></Error>";
        return "HTTP/1.1 " + status + "\r\nContent-Type: application/xml\r\nContent-Length: " + xml.length()
                + "\r\nConnection: close\r\n\r\n" + xml;
    }

    private static ByteBuf body(String text) {
        return ByteBufAllocator.DEFAULT.directBuffer().writeBytes(text.getBytes(StandardCharsets.UTF_8));
    }

    private static <T> T done(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(30, TimeUnit.SECONDS).join();
    }

    private static void fails(Reason reason, CompletionStage<?> stage) {
        assertThatThrownBy(() -> done(stage))
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        ObjectStoreException.class,
                        e -> assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason));
    }

    /** The circuit is open for some milliseconds yet. */
    private static void eventually(Runnable step) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (true) {
            try {
                step.run();
                return;
            } catch (CompletionException notYet) {
                if (System.nanoTime() > deadline) {
                    throw notYet;
                }
                TimeUnit.MILLISECONDS.sleep(5);
            }
        }
    }

    /** Answers the head of each request with the same bytes, then hangs up; with nothing, it stays silent. */
    private static final class RawServer implements AutoCloseable {
        private final ServerSocket listener;
        private final List<Socket> open = new ArrayList<>();

        RawServer(String answer) throws IOException {
            listener = new ServerSocket(0, 50, java.net.InetAddress.getLoopbackAddress());
            Thread acceptor = new Thread(() -> serve(answer), "raw-server");
            acceptor.setDaemon(true);
            acceptor.start();
        }

        String uri() {
            return "s3://b/p?endpoint=http://127.0.0.1:" + listener.getLocalPort()
                    + "&region=us-east-1&access-key-id=a&secret-access-key=b";
        }

        void hangUp() throws IOException {
            synchronized (open) {
                for (Socket socket : open) {
                    socket.close();
                }
            }
        }

        @Override
        public void close() throws IOException {
            listener.close();
            hangUp();
        }

        private void serve(String answer) {
            try {
                while (true) {
                    Socket socket = listener.accept();
                    synchronized (open) {
                        open.add(socket);
                    }
                    if (!answer.isEmpty()) {
                        Thread one = new Thread(() -> answer(socket, answer), "raw-answer");
                        one.setDaemon(true);
                        one.start();
                    }
                }
            } catch (IOException closed) {
                // The end of the test.
            }
        }

        private static void answer(Socket socket, String answer) {
            try (socket) {
                int newlines = 0;
                for (int b = socket.getInputStream().read(); b >= 0 && newlines < 2; ) {
                    newlines = b == '\n' ? newlines + 1 : b == '\r' ? newlines : 0;
                    b = newlines < 2 ? socket.getInputStream().read() : b;
                }
                socket.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
                socket.getOutputStream().flush();
            } catch (IOException gone) {
                // The client had enough.
            }
        }
    }
}

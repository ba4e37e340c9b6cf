package io.catchment.objectstore.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.open.BareStores;
import io.catchment.objectstore.testing.EmbeddedS3;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bytes that change on their way to the server must not become an object (O1), whatever the server thinks of checksums. */
class S3IntegrityTest {
    private static final int BYTES = 300_000;

    @TempDir
    Path directory;

    @Test
    void bodyThatChangedOnItsWayIsNoObject() throws Exception {
        try (EmbeddedS3 server = EmbeddedS3.start(0, directory);
                BitFlipper wire = new BitFlipper(server.port())) {
            ObjectStore store = BareStores.open(server.uri("i").replace(":" + server.port(), ":" + wire.port()));
            wire.flip.set(true);
            assertThatThrownBy(() -> done(store.put("a", body()))).isInstanceOf(CompletionException.class);
            assertThat(wire.flip).as("a bit was flipped").isFalse();
            assertThat(done(store.list(""))).isEmpty();

            done(store.put("a", body()));
            ByteBuf read = done(store.get("a", 0, BYTES));
            ByteBuf sent = body();
            assertThat(read).isEqualTo(sent);
            read.release();
            sent.release();
            store.close();
        }
    }

    private static ByteBuf body() {
        ByteBuf body = ByteBufAllocator.DEFAULT.directBuffer(BYTES);
        for (int i = 0; i < BYTES; i++) {
            body.writeByte(i % 251);
        }
        return body;
    }

    private static <T> T done(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(30, TimeUnit.SECONDS).join();
    }

    /** Passes bytes on; when told to, with one bit changed, far behind the head of a request. */
    private static final class BitFlipper implements AutoCloseable {
        private static final int BEHIND = 100_000;

        private final AtomicBoolean flip = new AtomicBoolean();
        private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        private final int target;

        BitFlipper(int target) throws IOException {
            this.target = target;
            thread(this::accept);
        }

        int port() {
            return listener.getLocalPort();
        }

        private void accept() {
            try {
                while (true) {
                    Socket client = listener.accept();
                    Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
                    thread(() -> pass(client, server, true));
                    thread(() -> pass(server, client, false));
                }
            } catch (IOException closed) {
                // The end of the test.
            }
        }

        private void pass(Socket from, Socket to, boolean up) {
            try (from;
                    to) {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                byte[] some = new byte[8192];
                long passed = 0;
                for (int read = in.read(some); read >= 0; read = in.read(some)) {
                    passed += read;
                    if (up && passed > BEHIND && flip.compareAndSet(true, false)) {
                        some[read / 2] ^= 1;
                    }
                    out.write(some, 0, read);
                    out.flush();
                }
            } catch (IOException hungUp) {
                // One of them had enough.
            }
        }

        private static void thread(Runnable work) {
            Thread thread = new Thread(work, "bit-flipper");
            thread.setDaemon(true);
            thread.start();
        }

        @Override
        public void close() throws IOException {
            listener.close();
        }
    }
}

package io.catchment.objectstore.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.objectstore.BundleBuilder.Built;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.bundle.BundleWriter;
import io.catchment.objectstore.testing.ScriptedStore;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SpanReaderTest {
    private static final int MIB = 1 << 20;
    private static final long ID = 5;

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final ScriptedStore store = new ScriptedStore();
    private final SpanReader reader = new SpanReader(store, ByteBufAllocator.DEFAULT, timer);
    private byte[] content = new byte[0];
    private int objectBytes;

    /** One range of so many bytes, which begins at 16. */
    private void object(int bytes) {
        content = new byte[bytes];
        new Random(3).nextBytes(content);
        try (BundleWriter writer = new BundleWriter(ByteBufAllocator.DEFAULT)) {
            writer.stream(1);
            writer.payload(
                    0, 1, 0, 0, ByteBufAllocator.DEFAULT.directBuffer(bytes).writeBytes(content));
            Built built = writer.build();
            objectBytes = built.body().readableBytes();
            store.put(ObjectKeys.key(ID), built.body()).toCompletableFuture().join();
        }
        store.requests.set(0);
    }

    @AfterEach
    void stop() {
        reader.close();
        timer.shutdownNow();
    }

    /** Reads it, and holds it against what was written; the requests it took. */
    private int read(int position, int length) {
        int before = store.requests.get();
        ByteBuf read = reader.bytes(ID, objectBytes, position, length)
                .toCompletableFuture()
                .join();
        byte[] bytes = new byte[length];
        assertThat(read.readableBytes()).isEqualTo(length);
        read.readBytes(bytes).release();
        assertThat(read.refCnt()).isZero();
        byte[] expected = new byte[length];
        System.arraycopy(content, position - 16, expected, 0, length);
        assertThat(bytes).isEqualTo(expected);
        return store.requests.get() - before;
    }

    @Test
    void aSmallObjectIsOneRequestAndSoIsWhatIsReadOfItLater() {
        object(3 * MIB / 2);
        assertThat(read(16, 3 * MIB / 2)).isOne();
        assertThat(read(MIB, 20)).isOne();
        assertThat(SpanReader.requests(objectBytes, 16, 3 * MIB / 2, false)).isOne();
    }

    @Test
    void ofALargeObjectTheFooterIsReadOnceUnlessItIsNear() {
        object(20 * MIB);
        assertThat(read(16, 100)).isEqualTo(2);
        assertThat(SpanReader.requests(objectBytes, 16, 100, false)).isEqualTo(2);
        assertThat(read(3 * MIB + 5, SpanReader.RUN_BYTES_MAX)).isOne();
        assertThat(SpanReader.requests(objectBytes, 3 * MIB + 5, SpanReader.RUN_BYTES_MAX, true))
                .isOne();
        reader.close();
        assertThat(read(19 * MIB, 1000)).isOne();
    }

    @Test
    void aLongRunIsSeveralRequestsInARow() {
        object(20 * MIB);
        assertThat(read(16 + MIB / 2, 19 * MIB)).isEqualTo(4);
        assertThat(SpanReader.requests(objectBytes, 16 + MIB / 2, 19 * MIB, false))
                .isEqualTo(4);
    }

    @Test
    void aBadBlockIsReadAgainThenReportedNeverHandedOut() {
        object(20 * MIB);
        read(16, 10);
        store.corrupt(ObjectKeys.key(ID), 4 * MIB + 9);
        int before = store.requests.get();
        assertThatThrownBy(() -> reader.bytes(ID, objectBytes, 2 * MIB, 5 * MIB)
                        .toCompletableFuture()
                        .join())
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOfSatisfying(ObjectStoreException.class, bad -> assertThat(bad.reason())
                        .isEqualTo(ObjectStoreException.Reason.CORRUPT));
        assertThat(store.requests.get() - before).isEqualTo(3);
        read(2 * MIB, 2 * MIB);
        store.corrupt(ObjectKeys.key(ID), 4 * MIB + 9);
        read(2 * MIB, 5 * MIB);
    }

    @Test
    void whatIsOutsideOfTheBodyIsCorrupt() {
        object(MIB);
        read(16, 10);
        assertThatThrownBy(() -> reader.bytes(ID, objectBytes, MIB, 500)
                        .toCompletableFuture()
                        .join())
                .hasCauseInstanceOf(ObjectStoreException.class);
    }
}

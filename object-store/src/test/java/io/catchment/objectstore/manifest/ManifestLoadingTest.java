package io.catchment.objectstore.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.objectstore.Manifest;
import io.catchment.objectstore.Manifest.Entry;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.cache.CachedObjectReader;
import io.catchment.objectstore.cache.ReaderSettings;
import io.catchment.objectstore.testing.MemoryStore;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ManifestLoadingTest {
    private static final Manifest MANIFEST = new Manifest(7, List.of(new Entry(0, 9, 1, 100, 16, 20, 5, 6)));
    private static final long ID = 3;

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final GarblingStore store = new GarblingStore();
    private final CachedObjectReader reader =
            new CachedObjectReader(store, ReaderSettings.ofCacheBytes(1 << 20), ByteBufAllocator.DEFAULT, timer);

    /** Flips a bit of the next answers. */
    private static final class GarblingStore extends MemoryStore {
        int garbled;
        int gets;

        @Override
        public CompletionStage<ByteBuf> get(String key, long position, int length) {
            gets++;
            return super.get(key, position, length).thenApply(bytes -> {
                if (garbled-- > 0) {
                    bytes.setByte(30, bytes.getByte(30) ^ 4);
                }
                return bytes;
            });
        }
    }

    @AfterEach
    void stop() {
        reader.close();
        timer.shutdownNow();
    }

    @Test
    void itIsReadOnce() {
        long bytes = put();
        assertThat(load(bytes).entry(0)).isEqualTo(MANIFEST.entry(0));
        assertThat(load(bytes).streamId()).isEqualTo(7);
        assertThat(store.gets).isOne();
    }

    @Test
    void aBadOneIsReadAgainThenReportedAndNeverCached() {
        long bytes = put();
        store.garbled = 2;
        assertThat(load(bytes).size()).isOne();
        assertThat(store.gets).isEqualTo(3);
        assertThat(reader.stats().corruptBlocks()).isEqualTo(2);
    }

    @Test
    void oneThatStaysBadIsNotUsed() {
        long bytes = put();
        store.garbled = 3;
        fails(Reason.CORRUPT, bytes);
        assertThat(load(bytes).size()).as("the failure is not cached").isOne();
    }

    @Test
    void whatIsNoManifestFails() {
        fails(Reason.NOT_FOUND, 96);
        fails(Reason.CORRUPT, 1 << 30);
        store.put(ObjectKeys.key(ID), ByteBufAllocator.DEFAULT.buffer().writeZero(96));
        fails(Reason.CORRUPT, 96);
    }

    private void fails(Reason reason, long bytes) {
        assertThatThrownBy(() -> load(bytes))
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        ObjectStoreException.class, e -> assertThat(e.reason()).isEqualTo(reason));
    }

    private Manifest load(long bytes) {
        return reader.manifest(ID, bytes).toCompletableFuture().join();
    }

    private long put() {
        ByteBuf body = ManifestCodec.write(ByteBufAllocator.DEFAULT, MANIFEST);
        long bytes = body.readableBytes();
        store.put(ObjectKeys.key(ID), body);
        return bytes;
    }
}

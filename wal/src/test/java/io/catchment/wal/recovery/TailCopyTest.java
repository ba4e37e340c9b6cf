package io.catchment.wal.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.replica.Replica;
import io.catchment.wal.replica.WriteGroup;
import io.catchment.wal.testing.ManualLoop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** Of three stores two have all of an extent that three must have. */
class TailCopyTest {
    private static final long EPOCH = 9;
    private static final long LENGTH = ExtentHeader.BYTES + (3 << 20);

    private final ManualLoop loop = new ManualLoop();
    private final Store first = new Store(1, LENGTH);
    private final Store second = new Store(2, LENGTH);
    private final Store third = new Store(3, 0);
    private final List<Store> stores = List.of(first, second, third);

    private List<StoreRef> copy() {
        ExtentDescriptor extent = new ExtentDescriptor(
                7, 1, 1, Lane.NORMAL, stores.stream().map(Store::store).toList(), 3);
        List<FenceAnswer> answers = stores.stream()
                .map(store -> new FenceAnswer(store.store(), store, store.length, "", false, false))
                .toList();
        CompletableFuture<List<StoreRef>> done =
                new TailCopy(extent, EPOCH, LENGTH, answers, loop, store -> Optional.empty(), new NoStandIns()).start();
        loop.advance(0);
        assertThat(done).isDone();
        return done.join();
    }

    @Test
    void aStoreGetsWhatItMisses() {
        assertThat(copy()).containsExactly(first.store(), second.store(), third.store());
        assertThat(second.fetchedFrom).isEmpty();
    }

    @Test
    void itGetsTheRestFromAnotherHolderWhenTheFirstOneCannotBeReadAnyMore() {
        first.readableTo = ExtentHeader.BYTES + (2 << 20);
        assertThat(copy()).containsExactly(first.store(), second.store(), third.store());
        assertThat(first.fetchedFrom).containsExactly((long) ExtentHeader.BYTES, first.readableTo);
        assertThat(second.fetchedFrom).as("what was copied stays").containsExactly(first.readableTo);
    }

    @Test
    void whenNoHolderCanBeReadEachIsAskedOnce() {
        first.readableTo = 0;
        second.readableTo = 0;
        assertThat(copy()).containsExactly(first.store(), second.store());
        assertThat(first.fetchedFrom).hasSize(1);
        assertThat(second.fetchedFrom).hasSize(1);
    }

    @Test
    void aStoreThatTakesNothingIsGivenUpAtOnce() {
        third.full = true;
        assertThat(copy()).containsExactly(first.store(), second.store());
        assertThat(first.fetchedFrom).hasSize(1);
        assertThat(second.fetchedFrom).isEmpty();
    }

    /** As far as a recovery uses one. */
    private static final class Store implements Replica {
        private final StoreRef ref;
        private final List<Long> fetchedFrom = new ArrayList<>();
        private long length;
        private long readableTo = Long.MAX_VALUE;
        private boolean full;

        Store(int node, long length) {
            this.ref = new StoreRef(node, "store-" + node);
            this.length = length;
        }

        @Override
        public StoreRef store() {
            return ref;
        }

        @Override
        public CompletionStage<Long> fence(ExtentHeader header, long recoveryEpoch) {
            assertThat(recoveryEpoch).isEqualTo(EPOCH);
            return CompletableFuture.completedStage(length);
        }

        @Override
        public CompletionStage<ByteBuffer> fetch(long extentId, long position, int bytesMax) {
            fetchedFrom.add(position);
            return position < readableTo
                    ? CompletableFuture.completedStage(ByteBuffer.allocate(bytesMax))
                    : CompletableFuture.failedStage(new IOException("injected EIO"));
        }

        @Override
        public CompletionStage<Long> copy(ExtentHeader header, long recoveryEpoch, long position, ByteBuffer bytes) {
            assertThat(position).isEqualTo(Math.max(length, ExtentHeader.BYTES));
            if (full) {
                return CompletableFuture.failedStage(new IOException("injected ENOSPC"));
            }
            length = position + bytes.remaining();
            return CompletableFuture.completedStage(length);
        }

        @Override
        public CompletionStage<Void> create(ExtentHeader header) {
            throw new AssertionError("not asked here");
        }

        @Override
        public CompletionStage<Appended> append(WriteGroup group) {
            throw new AssertionError("not asked here");
        }

        @Override
        public void acknowledged(long extentId, long acknowledgedLength) {
            throw new AssertionError("not asked here");
        }

        @Override
        public CompletionStage<Void> finish(long extentId, long finalLength) {
            throw new AssertionError("not asked here");
        }

        @Override
        public CompletionStage<Void> settle(long extentId, long finalLength) {
            throw new AssertionError("not asked here");
        }

        @Override
        public CompletionStage<Void> discard(long extentId) {
            throw new AssertionError("not asked here");
        }
    }

    private static final class NoStandIns implements ExtentRegistry {
        @Override
        public CompletionStage<ExtentDescriptor> create(Lane lane) {
            throw new AssertionError("not asked here");
        }

        @Override
        public CompletionStage<Void> seal(long extentId, long length, List<StoreRef> holders) {
            throw new AssertionError("not asked here");
        }

        @Override
        public CompletionStage<Long> startRecovery(long extentId) {
            throw new AssertionError("not asked here");
        }
    }
}

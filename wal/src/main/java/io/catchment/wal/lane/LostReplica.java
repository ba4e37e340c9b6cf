package io.catchment.wal.lane;

import io.catchment.wal.StoreRef;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.replica.Replica;
import io.catchment.wal.replica.WriteGroup;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A store that an extent was placed on and that does not exist any more. Immutable. */
final class LostReplica implements Replica {
    private final StoreRef store;

    LostReplica(StoreRef store) {
        this.store = store;
    }

    @Override
    public StoreRef store() {
        return store;
    }

    private <T> CompletionStage<T> lost() {
        return CompletableFuture.failedStage(new IOException(store + " is lost"));
    }

    @Override
    public CompletionStage<Void> create(ExtentHeader header) {
        return lost();
    }

    @Override
    public CompletionStage<Appended> append(WriteGroup group) {
        return lost();
    }

    @Override
    public void acknowledged(long extentId, long length) {}

    @Override
    public CompletionStage<Void> finish(long extentId, long length) {
        return lost();
    }

    @Override
    public CompletionStage<Void> settle(long extentId, long length) {
        return lost();
    }

    @Override
    public CompletionStage<Long> fence(ExtentHeader header, long recoveryEpoch) {
        return lost();
    }

    @Override
    public CompletionStage<ByteBuffer> fetch(long extentId, long position, int bytesMax) {
        return lost();
    }

    @Override
    public CompletionStage<Void> discard(long extentId) {
        return lost();
    }

    @Override
    public CompletionStage<Long> copy(ExtentHeader header, long recoveryEpoch, long position, ByteBuffer bytes) {
        return lost();
    }
}

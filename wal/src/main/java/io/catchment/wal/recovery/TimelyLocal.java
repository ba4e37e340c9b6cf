package io.catchment.wal.recovery;

import io.catchment.wal.StoreRef;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Failures;
import io.catchment.wal.replica.Replica;
import io.catchment.wal.replica.Replicas;
import io.catchment.wal.replica.WriteGroup;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Stores as recoveries ask them: this node's own, too, answers what they have to wait for in time, or fails. Another node's has its
 * connection's limit; a disk that stands still has none, and a recovery that waits for it would be this node's for ever. What it does in the
 * end nobody waits for: a fence adds up, copied bytes are the writer's. Thread-safe.
 *
 * <p>Late is what has no answer while the store gave no other one either: extents are scanned one after the other.
 */
final class TimelyLocal implements Replicas {
    /** The store may yet do it. */
    static final class LateException extends IOException {
        private static final long serialVersionUID = 1L;

        LateException(String message) {
            super(message);
        }
    }

    private final Replicas stores;
    private final StoreRef local;
    private final long msMax;
    private final Loop loop;
    private final AtomicLong answers = new AtomicLong();

    /** @param msMax without any answer */
    TimelyLocal(Replicas stores, StoreRef local, long msMax, Loop loop) {
        this.stores = stores;
        this.local = local;
        this.msMax = msMax;
        this.loop = loop;
    }

    @Override
    public Optional<Replica> find(StoreRef store) {
        Optional<Replica> found = stores.find(store);
        return store.equals(local) ? found.map(Timely::new) : found;
    }

    private <T> CompletionStage<T> inTime(String what, Failures.Call<T> call) {
        Wait<T> wait = new Wait<>(what);
        wait.look(answers.get());
        Failures.stage(call).whenComplete(wait::answered);
        return wait.bounded;
    }

    /** Guarded by its monitor, but for the stage. */
    private final class Wait<T> {
        private final String what;
        private final CompletableFuture<T> bounded = new CompletableFuture<>();
        private Loop.@Nullable Timer timer;
        private boolean over;

        Wait(String what) {
            this.what = what;
        }

        synchronized void look(long answersBefore) {
            if (!over) {
                timer = loop.schedule(msMax, () -> look(answersBefore, answers.get()));
            }
        }

        private void look(long answersBefore, long answersNow) {
            if (answersNow != answersBefore) {
                look(answersNow);
            } else {
                bounded.completeExceptionally(new LateException(
                        what + " on " + local + ": its disk has not answered anything for " + msMax + " ms"));
            }
        }

        void answered(@Nullable T value, @Nullable Throwable failure) {
            answers.incrementAndGet();
            synchronized (this) {
                over = true;
                if (timer != null) {
                    timer.cancel();
                }
            }
            if (value != null) {
                bounded.complete(value);
            } else {
                bounded.completeExceptionally(failure == null ? new IllegalStateException("no answer") : failure);
            }
        }
    }

    private final class Timely implements Replica {
        private final Replica replica;

        Timely(Replica replica) {
            this.replica = replica;
        }

        @Override
        public StoreRef store() {
            return replica.store();
        }

        @Override
        public CompletionStage<Long> fence(ExtentHeader header, long recoveryEpoch) {
            return inTime("a fence", () -> replica.fence(header, recoveryEpoch));
        }

        @Override
        public CompletionStage<ByteBuffer> fetch(long extentId, long position, int bytesMax) {
            return inTime("a fetch", () -> replica.fetch(extentId, position, bytesMax));
        }

        @Override
        public CompletionStage<Long> copy(ExtentHeader header, long recoveryEpoch, long position, ByteBuffer bytes) {
            return inTime("a copy", () -> replica.copy(header, recoveryEpoch, position, bytes));
        }

        @Override
        public CompletionStage<Void> settle(long extentId, long length) {
            return replica.settle(extentId, length);
        }

        @Override
        public CompletionStage<Void> discard(long extentId) {
            return replica.discard(extentId);
        }

        @Override
        public CompletionStage<Void> create(ExtentHeader header) {
            return replica.create(header);
        }

        @Override
        public CompletionStage<Appended> append(WriteGroup group) {
            return replica.append(group);
        }

        @Override
        public void acknowledged(long extentId, long length) {
            replica.acknowledged(extentId, length);
        }

        @Override
        public CompletionStage<Void> finish(long extentId, long length) {
            return replica.finish(extentId, length);
        }
    }
}

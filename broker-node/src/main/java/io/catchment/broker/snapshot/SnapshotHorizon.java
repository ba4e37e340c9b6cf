package io.catchment.broker.snapshot;

import io.catchment.broker.flush.ReapHorizon;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Thread-safe. The horizon by the snapshots in the bucket: all of them count, a former owner's too, whose offsets say nothing here. What was
 * found is good for a while: the horizon only moves on, so an old answer only holds up more.
 */
public final class SnapshotHorizon implements ReapHorizon {
    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final KeptSnapshots snapshots;
    private final LongSupplier generation;
    private final LongSupplier nanoTime;
    private volatile Found found;

    private record Found(long offset, long atNanos) {}

    /** @param generation of this cluster's ownership; 0 while it is not known */
    public SnapshotHorizon(KeptSnapshots snapshots, LongSupplier generation, LongSupplier nanoTime) {
        this.snapshots = snapshots;
        this.generation = generation;
        this.nanoTime = nanoTime;
        this.found = new Found(NOTHING, nanoTime.getAsLong() - FRESH_NANOS);
    }

    @Override
    public CompletionStage<Long> offset() {
        Found last = found;
        if (nanoTime.getAsLong() - last.atNanos() < FRESH_NANOS) {
            return CompletableFuture.completedStage(last.offset());
        }
        return snapshots.list().thenApply(kept -> {
            long now = oldest(kept);
            found = new Found(now, nanoTime.getAsLong());
            return now;
        });
    }

    private long oldest(List<KeptSnapshots.Kept> kept) {
        return kept.isEmpty() || kept.get(0).name().generation() != generation.getAsLong()
                ? NOTHING
                : kept.get(0).name().offset();
    }
}

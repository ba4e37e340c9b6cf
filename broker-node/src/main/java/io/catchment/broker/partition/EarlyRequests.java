package io.catchment.broker.partition;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Requests that came before their partition: the cluster names a stream's new owner as soon as it is decided, and clients are here some
 * milliseconds before the stream is open. Guarded by its own lock, which only such requests and openings take.
 *
 * <p>They go on in the order in which they came, and before any that finds the partition by itself, so that what a producer has in
 * flight stays in order.
 */
final class EarlyRequests {
    /** Further ones are refused, as they would be without this. */
    static final int WAITING_MAX = 1_024;

    private final Map<Long, List<CompletableFuture<PartitionView>>> byStream = new HashMap<>();
    private int waiting;

    /**
     * Completes when the stream is served, on the opener's thread, or at once; null when too many wait already. Who loses patience completes
     * it himself.
     *
     * @param present the partition, if it is served by now
     */
    synchronized @Nullable CompletableFuture<PartitionView> await(
            long streamId, Supplier<@Nullable PartitionView> present) {
        PartitionView partition = present.get();
        if (partition != null) {
            return CompletableFuture.completedFuture(partition);
        }
        if (waiting >= WAITING_MAX) {
            return null;
        }
        CompletableFuture<PartitionView> early = new CompletableFuture<>();
        byStream.computeIfAbsent(streamId, id -> new ArrayList<>()).add(early);
        waiting++;
        var unused = early.whenComplete((served, failure) -> forget(streamId, early));
        return early;
    }

    private synchronized void forget(long streamId, CompletableFuture<PartitionView> early) {
        List<CompletableFuture<PartitionView>> others = byStream.get(streamId);
        if (others != null && others.removeIf(other -> other == early)) {
            waiting--;
            if (others.isEmpty()) {
                byStream.remove(streamId);
            }
        }
    }

    /** @param makeFindable called after those that waited went on, and before anybody else can ask */
    synchronized void served(List<Partition> opened, Runnable makeFindable) {
        if (waiting > 0) {
            for (Partition partition : opened) {
                for (CompletableFuture<PartitionView> early :
                        List.copyOf(byStream.getOrDefault(partition.streamId(), List.of()))) {
                    early.complete(partition);
                }
            }
        }
        makeFindable.run();
    }
}

package io.catchment.broker.share;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.share.partition.SharePartition;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * A share partition with the partition it is about and the fetches that wait for it. Owned by the share loop, but for {@link #advanced}, which the
 * partition's event loop calls.
 */
final class OpenShare implements PartitionView.AdvanceListener {
    private final PartitionView view;
    private final SerialLoop loop;
    private final AtomicBoolean waking = new AtomicBoolean();
    private final Set<Runnable> waiting = new LinkedHashSet<>();
    private volatile boolean awaited;
    private final SharePartition partition;

    /** Somebody reads for it from below the tail: others would read the same. */
    boolean reading;

    OpenShare(PartitionView view, SerialLoop loop, Function<OpenShare, SharePartition> partition) {
        this.view = view;
        this.loop = loop;
        this.partition = partition.apply(this);
    }

    PartitionView view() {
        return view;
    }

    SharePartition partition() {
        return partition;
    }

    /** Called on the share loop each time it may have more than before, until {@link #leave}. */
    void await(Runnable fetch) {
        waiting.add(fetch);
        awaited = true;
    }

    void leave(Runnable fetch) {
        waiting.remove(fetch);
        awaited = !waiting.isEmpty();
    }

    @Override
    public void advanced(PartitionView advanced) {
        if (awaited) {
            wake();
        }
    }

    /** Any thread. */
    void wake() {
        if (waking.compareAndSet(false, true)) {
            loop.execute(() -> {
                waking.set(false);
                List<Runnable> now = new ArrayList<>(waiting);
                now.forEach(Runnable::run);
            });
        }
    }
}

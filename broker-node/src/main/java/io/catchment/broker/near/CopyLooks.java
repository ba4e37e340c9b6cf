package io.catchment.broker.near;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.partition.PartitionView;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks into this node's own copies on a thread that may wait for the disk, so that nobody else does. Owned by the loop of {@link NearPartitions},
 * which hears the answers. One look at a stream at a time is under way; while the oldest has not come back for {@link #PATIENCE_MS} no
 * further one begins, so what waits for a disk that hangs is bounded by what is followed.
 */
final class CopyLooks implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CopyLooks.class);

    /** A copy is a few milliseconds behind the owner. */
    static final long PATIENCE_MS = 30;

    private final Function<PartitionView, OptionalLong> copies;
    private final SerialLoop loop;
    private final SerialLoop looking;
    private final BiConsumer<NearPartition, OptionalLong> answers;
    /** Since when, the oldest first. */
    private final Map<NearPartition, Long> underWay = new LinkedHashMap<>();

    /**
     * @param copies how far this node's copies of the WAL show a stream; empty: it has none to wait for
     * @param looking may wait for the disk
     * @param answers told on the loop
     */
    CopyLooks(
            Function<PartitionView, OptionalLong> copies,
            SerialLoop loop,
            SerialLoop looking,
            BiConsumer<NearPartition, OptionalLong> answers) {
        this.copies = copies;
        this.loop = loop;
        this.looking = looking;
        this.answers = answers;
    }

    /** Whether a look now would wait for the disk. */
    boolean hang() {
        return !underWay.isEmpty()
                && loop.nanoTime() - underWay.values().iterator().next() > TimeUnit.MILLISECONDS.toNanos(PATIENCE_MS);
    }

    /** Answered once, in a while; a look under way answers this one too. */
    void look(NearPartition partition) {
        if (hang() || underWay.putIfAbsent(partition, loop.nanoTime()) != null) {
            return;
        }
        looking.execute(() -> {
            OptionalLong here = seen(partition);
            loop.execute(() -> {
                underWay.remove(partition);
                answers.accept(partition, here);
            });
        });
    }

    /** What cannot be looked at is not waited for. */
    private OptionalLong seen(NearPartition partition) {
        try {
            return copies.apply(partition);
        } catch (RuntimeException | Error unreadable) {
            // Without an answer no look would begin any more
            LOG.debug("no look into this node's own copy of stream {}", partition.streamId(), unreadable);
            return OptionalLong.empty();
        }
    }

    @Override
    public void close() {
        looking.close();
    }
}

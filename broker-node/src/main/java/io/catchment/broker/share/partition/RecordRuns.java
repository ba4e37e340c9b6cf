package io.catchment.broker.share.partition;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.server.share.fetch.RecordState;
import org.apache.kafka.server.share.persister.PersisterStateBatch;

/**
 * The records of a share partition that are under way: all offsets from the start offset (everything below is done with) to the next
 * offset (nothing from there on was delivered yet), as runs without a hole between them. Owned by its {@link SharePartition}.
 */
final class RecordRuns {
    private final TreeMap<Long, RecordRun> runs = new TreeMap<>();
    private long startOffset;
    private long nextOffset;

    RecordRuns(long startOffset) {
        this.startOffset = startOffset;
        this.nextOffset = startOffset;
    }

    /**
     * As they were stored.
     *
     * @throws IllegalArgumentException when they make no sense
     */
    static RecordRuns of(StateStore.Stored stored) {
        RecordRuns runs = new RecordRuns(stored.startOffset());
        for (PersisterStateBatch batch : stored.batches()) {
            if (batch.firstOffset() < runs.nextOffset || batch.lastOffset() < batch.firstOffset()) {
                throw new IllegalArgumentException(batch + " does not follow offset " + runs.nextOffset);
            }
            if (batch.firstOffset() > runs.nextOffset) {
                // Delivered to somebody who did not say what became of it: not stored
                runs.append(batch.firstOffset() - 1, RecordState.AVAILABLE, 0);
            }
            runs.append(batch.lastOffset(), state(batch), batch.deliveryCount());
        }
        runs.advance();
        return runs;
    }

    /** Kafka also knows records on their way to a queue for dead letters; here there is none. */
    private static RecordState state(PersisterStateBatch batch) {
        RecordState stored = RecordState.forId(batch.deliveryState());
        return stored == RecordState.ARCHIVING ? RecordState.ARCHIVED : stored;
    }

    long startOffset() {
        return startOffset;
    }

    long nextOffset() {
        return nextOffset;
    }

    /** Offsets under way; what is done with but stands behind something that is not, counts too, as in Kafka. */
    long size() {
        return nextOffset - startOffset;
    }

    Collection<RecordRun> all() {
        return runs.values();
    }

    /** Adds what follows the last run, up to and with an offset. */
    RecordRun append(long lastOffset, RecordState state, int deliveryCount) {
        RecordRun run = new RecordRun(nextOffset, lastOffset, state, deliveryCount);
        runs.put(nextOffset, run);
        nextOffset = lastOffset + 1;
        return run;
    }

    /** The runs that make up exactly the offsets, as far as they are under way; cut at both ends if need be. */
    List<RecordRun> between(long firstOffset, long lastOffset) {
        long first = Math.max(firstOffset, startOffset);
        long last = Math.min(lastOffset, nextOffset - 1);
        if (first > last) {
            return List.of();
        }
        cutAt(first);
        cutAt(last + 1);
        return new ArrayList<>(runs.subMap(first, last + 1).values());
    }

    /** Afterwards a run begins at the offset, if it is under way. */
    void cutAt(long offset) {
        Map.Entry<Long, RecordRun> at = runs.floorEntry(offset);
        if (at != null && at.getKey() < offset && at.getValue().lastOffset() >= offset) {
            runs.put(offset, at.getValue().splitAt(offset));
        }
    }

    /** Everything below the offset is done with. True if that is news. */
    boolean startAt(long offset) {
        if (offset <= startOffset) {
            return false;
        }
        cutAt(offset);
        runs.headMap(offset).clear();
        startOffset = offset;
        nextOffset = Math.max(nextOffset, offset);
        return true;
    }

    /** Lets go of what is done with at the beginning. True if the start moved. */
    boolean advance() {
        return startAt(doneUpTo());
    }

    private long doneUpTo() {
        for (RecordRun run : runs.values()) {
            if (!run.isDone()) {
                return run.firstOffset();
            }
        }
        return nextOffset;
    }

    /** Where the start will be once all that is to be written is known. */
    long startOnceWritten() {
        for (RecordRun run : runs.values()) {
            if (!run.willBeDone()) {
                return run.firstOffset();
            }
        }
        return nextOffset;
    }

    /** Makes one run of neighbours that fare alike: there are never more runs than there are differences. */
    void join() {
        RecordRun before = null;
        var each = runs.values().iterator();
        while (each.hasNext()) {
            RecordRun run = each.next();
            if (before != null && before.continues(run)) {
                before.extendBy(run);
                each.remove();
            } else {
                before = run;
            }
        }
    }

    @Override
    public String toString() {
        return startOffset + " " + runs.values() + " " + nextOffset;
    }
}

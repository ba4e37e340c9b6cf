package io.catchment.broker.share.partition;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.server.share.fetch.RecordState;

/** What one member takes in one go: available records again, then fresh ones, until it has what it wants. Owned by the share loop. */
final class Taking {
    private final RecordRuns runs;
    private final String member;
    private final int batchSize;
    private final boolean strict;
    private final long lockedUntilMs;
    private final List<Acquired> acquired = new ArrayList<>();
    private long wanted;
    private long room;

    /** @param room for fresh records, at the beginning; what is begun of a batch is taken whole */
    Taking(RecordRuns runs, String member, Appetite appetite, long lockedUntilMs, long room) {
        this.runs = runs;
        this.member = member;
        this.batchSize = appetite.batchSize();
        this.strict = appetite.strict();
        this.lockedUntilMs = lockedUntilMs;
        this.wanted = appetite.recordsMax();
        this.room = room;
    }

    /** In offset order. */
    List<Acquired> acquired() {
        return acquired;
    }

    /** Whether anything of the span may be taken. */
    boolean wants(Found.Span span) {
        return wanted > 0 && (span.firstOffset() < runs.nextOffset() || room > 0);
    }

    void take(Found.Span span) {
        again(span);
        fresh(span);
    }

    /** What is under way and available again. */
    private void again(Found.Span span) {
        for (RecordRun run : runs.between(span.firstOffset(), span.lastOffset())) {
            if (run.isAvailable() && wanted > 0) {
                if (strict) {
                    runs.cutAt(run.firstOffset() + wanted);
                }
                take(run);
            }
        }
    }

    /** What nobody had yet. */
    private void fresh(Found.Span span) {
        long first = runs.nextOffset();
        long last = span.lastOffset();
        if (last < first || wanted <= 0 || room <= 0) {
            return;
        }
        if (strict) {
            last = Math.min(last, first + Math.min(wanted, room) - 1);
        }
        RecordRun run = runs.append(last, RecordState.AVAILABLE, 0);
        room -= run.size();
        take(run);
    }

    private void take(RecordRun run) {
        run.acquire(member, lockedUntilMs);
        wanted -= run.size();
        Acquired before = acquired.isEmpty() ? null : acquired.get(acquired.size() - 1);
        if (before != null
                && before.lastOffset() + 1 == run.firstOffset()
                && before.deliveryCount() == run.deliveryCount
                && before.size() < batchSize) {
            acquired.set(
                    acquired.size() - 1, new Acquired(before.firstOffset(), run.lastOffset(), before.deliveryCount()));
        } else {
            acquired.add(new Acquired(run.firstOffset(), run.lastOffset(), run.deliveryCount));
        }
    }
}
